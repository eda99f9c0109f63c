import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';

/** Whether files are copied into our store, or stay where they are. */
export const importArtifacts = z.enum(['COPY', 'REFERENCE']).meta({ id: 'MlflowImportArtifacts' });

export const importState = z.enum(['RUNNING', 'DONE', 'FAILED']).meta({ id: 'MlflowImportState' });

export const importItemKind = z
  .enum(['MODEL', 'VERSION', 'ALIAS', 'STAGE'])
  .meta({ id: 'MlflowImportItemKind' });

export const importOutcome = z
  .enum(['IMPORTED', 'UPDATED', 'SKIPPED', 'ASKED_FOR', 'WAITING', 'FAILED'])
  .meta({ id: 'MlflowImportOutcome' });

interface Row {
  readonly id: string;
  readonly workspaceId: string;
  readonly state: string;
}

const lockImport = async (tx: Tx, id: string): Promise<Row> => {
  const [row] = await tx.sql<Row>(
    'select id, workspace_id as "workspaceId", state from mlflow_import where id = $1 for update',
    [id],
  );
  if (!row) throw notFound('The import');
  return row;
};

const counts = z.record(z.string(), z.int().min(0));

export const noteMlflowImport = defineCommand({
  name: 'mlflowImport.note',
  describe: 'Writes down what an import did or left, and why.',
  permission: 'upstream:take',
  input: z.object({
    importId: z.uuid(),
    address: z.string().max(2000),
    counts,
    items: z
      .array(
        z.object({
          kind: importItemKind,
          name: z.string().min(1).max(1400),
          outcome: importOutcome,
          reason: z.string().max(4000),
        }),
      )
      .max(100_000),
  }),
  target: (tx, given) => lockImport(tx, given.importId),
  handle: async ({ tx, input: given, target: row, now }) => {
    const { items } = given;
    await tx.sql('update mlflow_import set address = $2, counts = $3 where id = $1', [
      row.id,
      given.address,
      JSON.stringify(given.counts),
    ]);
    await tx.sql(
      `insert into mlflow_import_item (id, workspace_id, import_id, kind, name, outcome, reason, noted_at)
       select id, $1, $2, kind, name, outcome, reason, $3
         from unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[]) as item (id, kind, name, outcome, reason)
       on conflict (import_id, kind, name)
       do update set outcome = excluded.outcome, reason = excluded.reason, noted_at = excluded.noted_at`,
      [
        ...[row.workspaceId, row.id, now, items.map(() => newId())],
        ...[items.map(({ kind }) => kind), items.map(({ name }) => name)],
        ...[items.map(({ outcome }) => outcome), items.map(({ reason }) => reason)],
      ],
    );
    return {
      result: { id: row.id },
      audit: {
        subject: { kind: 'mlflowImport', id: row.id },
        facts: { counts: given.counts, items: items.length },
      },
    };
  },
});

export const finishMlflowImport = defineCommand({
  name: 'mlflowImport.finish',
  describe: 'Says that an import is over, and how it ended.',
  permission: 'upstream:take',
  input: z.object({
    importId: z.uuid(),
    state: z.enum(['DONE', 'FAILED']),
    message: z.string().max(4000),
  }),
  target: (tx, given) => lockImport(tx, given.importId),
  handle: async ({ tx, input: { state, message }, target: row, now }) => {
    const result = { id: row.id };
    if (row.state !== 'RUNNING') return { result, audit: nothingChanged };
    await tx.sql('update mlflow_import set state = $2, message = $3, finished_at = $4 where id = $1', [
      row.id,
      state,
      message,
      now,
    ]);
    return {
      result,
      audit: {
        subject: { kind: 'mlflowImport', id: row.id },
        changes: { state: { from: row.state, to: state } },
        facts: { message },
      },
    };
  },
});
