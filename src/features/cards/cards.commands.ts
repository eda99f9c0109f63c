import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../kernel/command.js';
import { conflict, invalidInput, notFound } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import { useCaseOr404 } from '../usecases/index.js';
import { cardFields } from './card-fields.js';
import { ModelCard, type AttestedField } from './model-card.entity.js';

const givenField = z.object({
  name: z.string().min(1).max(64),
  value: z.string().trim().min(1).max(20_000).nullable().describe('Null says that it is not known any more.'),
});

type GivenField = z.output<typeof givenField>;

/** Names that no card has, that are filled automatically, or that are given twice. */
const requireWritable = (given: readonly GivenField[]): void => {
  const known = new Map(cardFields().map((field) => [field.name, field]));
  const names = given.map((field) => field.name);
  const faults = given.flatMap(({ name }, index) => {
    const path = `fields.${String(index)}.name`;
    const field = known.get(name);
    if (!field) return [{ path, message: `${name} is not a field of the card` }];
    if (field.auto) return [{ path, message: `${name} is filled from ${field.auto} and cannot be written` }];
    return names.indexOf(name) === index ? [] : [{ path, message: `${name} is given twice` }];
  });
  if (faults.length > 0)
    throw invalidInput(`The card cannot be changed so: ${faults[0]?.message ?? ''}`, faults);
};

type Attested = Readonly<Record<string, AttestedField>>;

const merge = (
  before: Attested,
  changed: readonly GivenField[],
  who: { by: string; at: string },
): Attested => {
  const names = new Set(changed.map((field) => field.name));
  const kept = Object.entries(before).filter(([name]) => !names.has(name));
  const given = changed.flatMap(({ name, value }): [string, AttestedField][] =>
    value === null ? [] : [[name, { value, source: 'ATTESTED', evidence: null, ...who }]],
  );
  return Object.fromEntries([...kept, ...given]);
};

export const updateCard = defineCommand({
  name: 'card.update',
  describe: 'Attests fields of the card of a version in a use case. A governed field voids open approvals.',
  permission: 'card:update',
  input: z.object({
    versionId: z.uuid(),
    useCaseId: z.uuid(),
    fields: z.array(givenField).min(1).max(50),
    expectedRevision: z.int().min(0).nullish().describe('Refuses when somebody else changed the card since.'),
  }),
  target: async (tx, input) => {
    const { versionId, useCaseId } = input;
    // Locked, so that two people who fill the first fields of one card make one card.
    const rows = await tx.sql(
      'select id from model_version where id = $1 and deleted_at is null for no key update',
      [versionId],
    );
    if (rows.length === 0) throw notFound('The version of the model');
    await useCaseOr404(tx, useCaseId);
    const card = await tx.lock(ModelCard, { versionId, useCaseId });
    return { id: card?.id ?? newId(), card };
  },
  handle: async ({ tx, actor, input, target, now }) => {
    requireWritable(input.fields);
    const revision = target.card?.revision ?? 0;
    if (typeof input.expectedRevision === 'number' && input.expectedRevision !== revision) {
      throw conflict('Somebody else changed the card; look at it again', { rule: 'card-revision', revision });
    }
    const before = target.card?.fields ?? {};
    const changed = input.fields.filter(({ name, value }) => (before[name]?.value ?? null) !== value);
    if (changed.length === 0) return { result: { id: target.id }, audit: nothingChanged };
    const fields = merge(before, changed, { by: actor.id, at: now.toISOString() });
    const { versionId, useCaseId } = input;
    if (target.card)
      await tx.update(ModelCard, { id: target.id }, { fields, revision: revision + 1, updatedAt: now });
    else {
      const row = {
        id: target.id,
        workspaceId: actor.workspaceId ?? '',
        versionId,
        useCaseId,
        fields,
        revision: 1,
      };
      await tx.insert(ModelCard, { ...row, createdAt: now, updatedAt: now });
    }
    const changes = changed.map(
      ({ name, value }) => [name, { from: before[name]?.value ?? null, to: value }] as const,
    );
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'card', id: target.id },
        changes: Object.fromEntries(changes),
        facts: { versionId, useCaseId, revision: revision + 1 },
      },
    };
  },
});
