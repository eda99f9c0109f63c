import { z } from 'zod';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { newId } from '../../../kernel/id.js';
import { openFinding } from '../../findings/index.js';
import { lockModel, type RegisteredModel } from '../../registry/index.js';

const dueMs = 3 * 86_400_000;

/** Who answers for it: the owner of a use case that the model was approved for, else an owner of the workspace. */
const ownerOf = async (tx: Tx, modelId: string): Promise<string | null> => {
  const [row] = await tx.sql<{ id: string }>(
    `select u.owner_id as id, 1 as place from use_case u join model_alias a on a.use_case_id = u.id where a.model_id = $1
     union all
     select * from (select user_id, 2 from member where 'owner' = any(roles || roles_by_rule) order by id limit 1) owner
     order by place limit 1`,
    [modelId],
  );
  return row?.id ?? null;
};

const difference = z.object({
  what: z.string().min(1).max(400),
  ours: z.string().max(400),
  theirs: z.string().max(400),
});

interface Standing extends z.output<typeof difference> {
  readonly id: string;
}

interface Place {
  readonly tx: Tx;
  readonly model: RegisteredModel;
  readonly address: string;
  readonly by: string;
  readonly now: Date;
}

const open = async (at: Place, one: z.output<typeof difference>): Promise<AuditEntry[]> => {
  const { tx, model, now, address } = at;
  const id = newId();
  const ownerId = await ownerOf(tx, model.id);
  const said = `${one.what} of ${model.name} stands at ${one.theirs} in the MLflow server ${address}; here it stands at ${one.ours}`;
  const finding =
    ownerId === null
      ? null
      : await openFinding(tx, {
          workspaceId: model.workspaceId,
          title: `${one.what} of ${model.name} was changed behind the gate`.slice(0, 200),
          detail: `${said}. Somebody reached that server without passing here, or changed it before the gate stood in front.`,
          severity: 'HIGH',
          ownerId,
          dueAt: new Date(now.getTime() + dueMs),
          subject: { kind: 'model', id: model.id },
          changeRequestId: null,
          createdBy: at.by,
          now,
        });
  await tx.sql(
    `insert into upstream_difference (id, workspace_id, model_id, what, ours, theirs, finding_id, since)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, model.workspaceId, model.id, one.what, one.ours, one.theirs, finding?.id ?? null, now],
  );
  const entry: AuditEntry = {
    subject: { kind: 'upstreamDifference', id },
    changes: { theirs: { from: one.ours, to: one.theirs } },
    facts: { modelId: model.id, what: one.what, address, findingId: finding?.id ?? null },
  };
  return finding ? [finding.audit, entry] : [entry];
};

const settle = async (
  { tx, model, now }: Place,
  { id, what, ours, theirs }: Standing,
): Promise<AuditEntry> => {
  await tx.sql('update upstream_difference set settled_at = $2 where id = $1', [id, now]);
  return {
    subject: { kind: 'upstreamDifference', id },
    changes: { theirs: { from: theirs, to: ours } },
    facts: { modelId: model.id, what, settled: true },
  };
};

export const compareUpstream = defineCommand({
  name: 'upstream.compare',
  describe:
    'Writes down what stands otherwise in the MLflow server behind the gate: each difference opens a finding, once.',
  permission: 'upstream:take',
  input: z.object({
    modelId: z.uuid(),
    address: z.string().min(1).max(2000),
    about: z
      .array(z.string().max(400))
      .max(5000)
      .nullable()
      .describe('What was looked at; null: all of the model.'),
    differences: z.array(difference).max(5000),
  }),
  target: (tx, input) => lockModel(tx, input.modelId),
  handle: async ({ tx, actor, input, target: model, now }) => {
    const standing = await tx.sql<Standing>(
      `select id, what, ours, theirs from upstream_difference
        where model_id = $1 and settled_at is null and ($2::text[] is null or what = any($2))`,
      [model.id, input.about],
    );
    const at = { tx, model, address: input.address, by: actor.id, now };
    const same = (one: z.output<typeof difference>, other: z.output<typeof difference>): boolean =>
      one.what === other.what && one.ours === other.ours && one.theirs === other.theirs;
    const gone = standing.filter((one) => !input.differences.some((other) => same(one, other)));
    const fresh = input.differences.filter((one) => !standing.some((other) => same(one, other)));
    const entries: AuditEntry[] = [];
    for (const one of gone) entries.push(await settle(at, one));
    for (const one of fresh) entries.push(...(await open(at, one)));
    const [first, ...others] = entries;
    return {
      result: { opened: fresh.length, settled: gone.length },
      audit: first ? [first, ...others] : nothingChanged,
    };
  },
});
