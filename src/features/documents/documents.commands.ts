import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Actor } from '../../kernel/actor.js';
import type { AuditEntry } from '../../kernel/audit.js';
import { defineCommand, nothingChanged } from '../../kernel/command.js';
import type { Tx } from '../../kernel/db.js';
import { newId } from '../../kernel/id.js';

const maxText = 60_000;

const document = z.object({
  name: z.string().trim().min(1).max(200).describe('What people call it; only for lists.'),
  text: z
    .string()
    .min(1)
    .max(maxText)
    .describe('The GraphQL document, byte for byte as its sha256 names it.'),
});

/** A registered document, as the answer of a registration names it. */
export interface Registered {
  readonly id: string;
  readonly sha256: string;
}

interface Candidate {
  readonly id: string;
  readonly sha256: string;
  readonly name: string;
  readonly text: string;
}

const candidate = ({ name, text }: z.output<typeof document>): Candidate => ({
  id: newId(),
  sha256: createHash('sha256').update(text).digest('hex'),
  name,
  text,
});

export const registerDocuments = defineCommand({
  name: 'document.register',
  describe:
    'Registers GraphQL documents of this workspace: each may then be run by its sha256, compiled. One that is registered already stays as it is.',
  permission: 'document:register',
  input: z.object({ documents: z.array(document).min(1).max(100) }),
  target: (_tx, _input, actor) => Promise.resolve({ id: actor.workspaceId ?? '' }),
  handle: async ({ tx, actor, input, target, now }) => {
    const unique = new Map(input.documents.map((given) => [given.text, candidate(given)]));
    const wanted = [...unique.values()];
    const fresh = await insertNew(tx, wanted, { actor, workspaceId: target.id, now });
    const all = await tx.sql<Registered>(
      `select id, sha256 from trusted_document where sha256 = any($1::text[])`,
      [wanted.map(({ sha256 }) => sha256)],
    );
    const audit = wanted.filter(({ id }) => fresh.has(id)).map(entryOf);
    const [first, ...others] = audit;
    const order = new Map(all.map((row) => [row.sha256, row]));
    const result = input.documents.flatMap(({ text }) => order.get(unique.get(text)?.sha256 ?? '') ?? []);
    return { result, audit: first === undefined ? nothingChanged : [first, ...others] };
  },
});

const insertNew = async (
  tx: Tx,
  wanted: readonly Candidate[],
  by: { actor: Actor; workspaceId: string; now: Date },
): Promise<ReadonlySet<string>> => {
  const rows = await tx.sql<{ id: string }>(
    `insert into trusted_document (id, workspace_id, sha256, name, text, created_by, created_at)
     select id, $5::uuid, sha256, name, text, $6, $7
       from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as given (id, sha256, name, text)
     on conflict (workspace_id, sha256) do nothing returning id`,
    [
      wanted.map(({ id }) => id),
      wanted.map(({ sha256 }) => sha256),
      wanted.map(({ name }) => name),
      wanted.map(({ text }) => text),
      by.workspaceId,
      by.actor.id,
      by.now,
    ],
  );
  return new Set(rows.map(({ id }) => id));
};

const entryOf = ({ id, sha256, name }: Candidate): AuditEntry => ({
  subject: { kind: 'document', id },
  changes: { sha256: { from: null, to: sha256 }, name: { from: null, to: name } },
});
