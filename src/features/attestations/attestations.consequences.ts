import type { AuditEntry } from '../../kernel/audit.js';
import { defineConsequence } from '../../kernel/consequence.js';
import type { Tx } from '../../kernel/db.js';
import { attestMove } from './attest.js';
import { holdAgainst, holdAttestationsOf } from './hold-against.js';

const ofKind = (entries: readonly AuditEntry[], kind: string): AuditEntry[] =>
  entries.filter(({ subject }) => subject.kind === kind);

const isDeletion = ({ changes }: AuditEntry): boolean => changes !== undefined && 'deletedAt' in changes;

const idsOf = (entries: readonly AuditEntry[]): string[] => entries.map(({ subject }) => subject.id);

/** The models whose attestations could have lost their ground, in one order so that two commands never deadlock. */
const affectedModels = async (tx: Tx, entries: readonly AuditEntry[]): Promise<string[]> => {
  const aliases = ofKind(entries, 'alias').map(({ facts }) => facts?.['modelId']);
  const models = idsOf(ofKind(entries, 'model').filter(isDeletion));
  const versions = idsOf(ofKind(entries, 'modelVersion').filter(isDeletion));
  const endpoints = idsOf(ofKind(entries, 'endpoint'));
  const found =
    versions.length + endpoints.length === 0
      ? []
      : await tx.sql<{ id: string }>(
          `select model_id as id from model_version where id = any($1)
           union select model_id from endpoint where id = any($2)`,
          [versions, endpoints],
        );
  const named = aliases.filter((id) => typeof id === 'string');
  return [...new Set([...named, ...models, ...found.map(({ id }) => id)])].sort();
};

/**
 * An approval that is carried out leaves a signed attestation, and whatever takes the ground from under one revokes
 * it: both in the transaction in which it happens, so that no promotion is without its proof, and no proof outlives
 * what it says.
 */
export const keepAttestations = defineConsequence({
  name: 'attestations.keep',
  follows: ['alias', 'model', 'modelVersion', 'endpoint'],
  handle: async ({ tx, actor, entries, now, signer }) => {
    const models = await affectedModels(tx, entries);
    for (const modelId of models) await holdAttestationsOf(tx, modelId);
    const all: AuditEntry[] = [];
    for (const { subject, facts } of ofKind(entries, 'alias')) {
      const isByRequest = typeof facts?.['changeRequestId'] === 'string';
      const attested = isByRequest ? await attestMove(tx, subject.id, { signer, now }) : null;
      if (attested) all.push(attested);
    }
    for (const modelId of models) all.push(...(await holdAgainst(tx, modelId, { actorId: actor.id, now })));
    return all;
  },
});
