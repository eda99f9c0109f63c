import { z } from 'zod';
import { systemActor, type Actor } from '../../kernel/actor.js';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery, type AskQuery } from '../../kernel/query.js';

/** A registered document as shown. */
export interface DocumentView {
  readonly id: string;
  readonly sha256: string;
  readonly name: string;
  readonly text: string;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export const listDocuments = defineQuery({
  name: 'document.list',
  describe: 'The GraphQL documents that are registered in this workspace, newest first.',
  permission: 'document:read',
  input: z.object({ ...pageInput }),
  handle: async ({ db, input }): Promise<Page<DocumentView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<DocumentView>(
      `select id, sha256, name, text, created_by as "createdBy", created_at as "createdAt"
         from trusted_document where $1::uuid is null or id < $1::uuid order by id desc limit $2`,
      [after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

const documentText = defineQuery({
  name: 'document.text',
  describe: 'What a registered document says.',
  permission: 'document:read',
  input: z.object({ sha256: z.string() }),
  handle: async ({ db, input }): Promise<string | null> => {
    const [row] = await db.sql<{ text: string }>('select text from trusted_document where sha256 = $1', [
      input.sha256,
    ]);
    return row?.text ?? null;
  },
});

/** Texts remembered per process; they never change, and a registration is never taken back. */
const remembered = 2_000;

/** Finds the text of a document that is registered in a workspace. */
export type FindDocument = (ask: AskQuery, actor: Actor, sha256: string) => string | Promise<string | null>;

/**
 * Opens the lookup of registered documents. The door looks in its own name, in the workspace of who asks: running a
 * document needs the permissions of its fields and no other, also for a token with few scopes.
 */
export const documentFinder = (): FindDocument => {
  const known = new Map<string, string>();
  const look = async (ask: AskQuery, actor: Actor, sha256: string, key: string): Promise<string | null> => {
    const { workspaceId, organizationId } = actor;
    const door = systemActor('door:graphql', { workspaceId, organizationId });
    const text = await ask(documentText, door, { sha256 });
    if (text === null) return null;
    if (known.size >= remembered) known.clear();
    known.set(key, text);
    return text;
  };
  return (ask, actor, sha256) => {
    if (actor.workspaceId === null) return Promise.resolve(null);
    const key = `${actor.workspaceId} ${sha256}`;
    return known.get(key) ?? look(ask, actor, sha256, key);
  };
};
