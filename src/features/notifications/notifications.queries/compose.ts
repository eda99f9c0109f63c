import { z } from 'zod';
import type { ReadDb } from '../../../kernel/db.js';
import { isUuid } from '../../../kernel/id.js';
import { permissions } from '../../../kernel/permissions.js';
import { defineQuery } from '../../../kernel/query.js';
import { namesOf } from '../../comments/index.js';
import { notificationEvent } from '../events.js';
import type { Addressee } from '../tell-in.js';

const subject = z.object({ kind: z.string(), id: z.string() });
const ids = z.array(z.string());

const input = z.object({
  event: notificationEvent,
  subject,
  title: z.string(),
  lines: z.array(z.string()),
  concerned: z.array(z.enum(['asked', 'requester', 'deciders', 'involved', 'evidence', 'creator'])),
  users: ids,
  why: z.string(),
  holders: z.enum(permissions).nullable(),
  except: ids,
  onlyNew: z.boolean(),
  /** Whose decision is missing, as the approvals say. */
  asked: ids,
  actor: z.object({ kind: z.string(), id: z.string() }).nullable(),
});

type Asked = z.output<typeof input>;

/** News with names and people. */
export interface Composed {
  readonly title: string;
  readonly lines: readonly string[];
  readonly link: string;
  readonly people: readonly Addressee[];
}

/** People around the subject in $1, by how they are concerned. */
const around: Readonly<Record<Exclude<Asked['concerned'][number], 'asked'>, string>> = {
  requester: `select requested_by as id from change_request where id = $1`,
  deciders: `select by::text as id from approval where change_request_id = $1`,
  involved: `
    select author_id as id from comment where subject_id = $1 and author_kind = 'user' and deleted_at is null
    union select requested_by from change_request where id = $1
    union select by::text from approval where change_request_id = $1
    union select created_by from model_version where id = $1
    union select owner_id::text from finding where id = $1
    union select created_by from finding where id = $1`,
  evidence: `
    select u.owner_id::text as id from evidence e join use_case u on u.id = e.use_case_id where e.id = $1
    union select v.created_by from evidence e join model_version v on v.id = e.version_id where e.id = $1`,
  creator: `select created_by as id from webhook where id = $1`,
};

/** One after the other: a connection runs one statement at a time. */
const concernedBy = async (db: ReadDb, { concerned, asked }: Asked, id: string): Promise<string[]> => {
  const found: string[] = [];
  for (const how of concerned) {
    if (how === 'asked') found.push(...asked);
    else found.push(...(await db.sql<{ id: string }>(around[how], [id])).map((row) => row.id));
  }
  return found;
};

const membersWith = async (db: ReadDb, roles: readonly string[]): Promise<string[]> => {
  const rows = await db.sql<{ id: string }>(
    `select user_id as id from member where (roles || roles_by_rule) && $1::text[]`,
    [roles],
  );
  return rows.map(({ id }) => id);
};

const toldBefore = async (db: ReadDb, { event, subject: about }: Asked): Promise<string[]> => {
  const rows = await db.sql<{ id: string }>(
    `select i.user_id as id from inbox_item i join news n on n.id = i.news_id
      where n.event = $1 and n.subject_kind = $2 and n.subject_id = $3`,
    [event, about.kind, about.id],
  );
  return rows.map(({ id }) => id);
};

interface About {
  readonly kind: string;
  readonly id: string;
  readonly lines: readonly string[];
}

const excerptLength = 200;

/** The beginning of a text. Half a character at its end would keep the news from being stored. */
const excerptOf = (text: string): string =>
  text.length <= excerptLength ? text : `${text.slice(0, excerptLength).toWellFormed()}…`;

/** What the sentence is about, and what is shown of it. What is sealed is not shown. */
const aboutOf = async (db: ReadDb, { subject: about }: Asked): Promise<About> => {
  if (about.kind === 'changeRequest') {
    const [row] = await db.sql<{ title: string; expires: Date; name: string | null }>(
      `select c.title, c.expires_at as expires, u.display_name as name
         from change_request c left join app_user u on u.id::text = c.requested_by where c.id = $1`,
      [about.id],
    );
    if (!row) return { ...about, lines: [] };
    const until = row.expires.toISOString().slice(0, 16).replace('T', ' ');
    const lines = [row.title, `Requested by: ${row.name ?? 'the product'}`, `Open until: ${until} UTC`];
    return { ...about, lines };
  }
  if (about.kind !== 'comment') return { ...about, lines: [] };
  const [row] = await db.sql<{ kind: string; id: string; body: string | null }>(
    `select c.subject_kind as kind, c.subject_id as id,
            case when c.sealed_for is null and c.deleted_at is null then left(r.body, $2) end as body
       from comment c join comment_revision r on r.comment_id = c.id and r.revision = c.revision where c.id = $1`,
    [about.id, excerptLength + 1],
  );
  if (!row) return { ...about, lines: [] };
  const { kind, id, body } = row;
  if (body === null) return { kind, id, lines: [] };
  return { kind, id, lines: [excerptOf(body)] };
};

const actorName = async (db: ReadDb, actor: Asked['actor']): Promise<string> => {
  if (actor?.kind !== 'user') return 'Countersign';
  const [row] = await db.sql<{ name: string }>(
    `select display_name as name from app_user where id::text = $1`,
    [actor.id],
  );
  return row?.name ?? 'Somebody';
};

export const composeNews = defineQuery({
  name: 'news.compose',
  describe: 'Finds the names and the people of news; asked by reactions and by the clock only.',
  permission: 'notification:record',
  input,
  handle: async ({ db, input: asked, holders }): Promise<Composed> => {
    const about = await aboutOf(db, asked);
    const found = (await namesOf(db, [about]))(about.kind, about.id);
    const names = { name: found?.name ?? 'something', actor: await actorName(db, asked.actor) };
    const title = asked.title.replace(/\{(name|actor)\}/g, (_, key: 'name' | 'actor') => names[key]);
    const byRight = asked.holders === null ? [] : await membersWith(db, holders(asked.holders));
    const all = [...asked.users, ...(await concernedBy(db, asked, about.id)), ...byRight];
    const out = new Set([
      ...asked.except,
      ...(asked.actor ? [asked.actor.id] : []),
      ...(asked.onlyNew ? await toldBefore(db, asked) : []),
    ]);
    // What is said about a decision under review is for those who see reviews.
    const mayKnow = about.kind === 'review' ? new Set(await membersWith(db, holders('review:read'))) : null;
    const people = [...new Set(all)].filter(
      (id) => isUuid(id) && !out.has(id) && (mayKnow === null || mayKnow.has(id)),
    );
    return {
      title: title.charAt(0).toUpperCase() + title.slice(1),
      lines: [...about.lines, ...asked.lines],
      link: found?.link ?? `/${about.kind}s/${about.id}`,
      people: people.map((userId) => ({ userId, why: asked.why })),
    };
  },
});
