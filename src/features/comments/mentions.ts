import type { ReadDb } from '../../kernel/db.js';

/** What is shown as code calls nobody. Both parts are linear: neither lets a repetition stand inside another. */
const code = /```[^`]*(?:```|$)|`[^`\n]*`/g;
/** An @ after a letter or a dot is part of an address, not a call. */
const call = /(?<![\w@./+-])@([a-z0-9]+(?:-[a-z0-9]+)*)/gi;

const mostMentions = 50;

/** The handles that a text calls, in the order in which they come. */
export const handlesIn = (text: string): string[] => {
  const plain = text.replace(code, ' ');
  const found = [...plain.matchAll(call)].map(([, handle = '']) => handle.toLowerCase());
  return [...new Set(found)].slice(0, mostMentions);
};

/** Somebody who was called by name. */
export interface Mentioned {
  readonly userId: string;
  readonly handle: string;
  readonly name: string;
}

/** Who is called, and which names nobody here has. */
export interface Mentions {
  readonly mentioned: readonly Mentioned[];
  readonly unknown: readonly string[];
}

/** Finds the members whom a text calls, now: who gets a handle later is not called by it. */
export const resolveMentions = async (db: ReadDb, text: string): Promise<Mentions> => {
  const handles = handlesIn(text);
  if (handles.length === 0) return { mentioned: [], unknown: [] };
  const mentioned = await db.sql<Mentioned>(
    `select m.user_id as "userId", m.handle, u.display_name as name
       from unnest($1::text[]) with ordinality as called (handle, place)
       join member m on m.handle = called.handle join app_user u on u.id = m.user_id
      where u.disabled_at is null order by called.place`,
    [handles],
  );
  const known = new Set(mentioned.map(({ handle }) => handle));
  return { mentioned, unknown: handles.filter((handle) => !known.has(handle)) };
};
