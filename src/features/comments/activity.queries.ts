import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import { notFound } from '../../kernel/errors.js';
import { defineQuery, type QueryContext } from '../../kernel/query.js';
import { objectOf, plainName, readableBy, sentenceOf, type Deed } from './activity-sentences.js';
import { namesOf, type SubjectName } from './subject-names.js';

/** What somebody did, as a sentence. */
export interface ActivityView {
  readonly id: string;
  readonly at: Date;
  readonly actorKind: string;
  readonly actorId: string;
  readonly actorName: string;
  readonly sentence: string;
  readonly command: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly link: string | null;
}

interface Row {
  readonly id: string;
  readonly at: Date;
  readonly command: string;
  readonly actorKind: string;
  readonly actorId: string;
  readonly actorName: string | null;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly body: { readonly changes: Deed['changes']; readonly facts: Deed['facts'] };
  readonly commentKind: string | null;
  readonly commentSubject: string | null;
}

/** A thing, and what stands around it: what was said of it, asked for it, measured of it. */
const around = `
  select $1::text as id
  union select c.id::text from comment c where c.subject_id = $1::uuid
  union select c.id::text from change_request c where $1::uuid in (c.version_id, c.model_id, c.endpoint_id, c.use_case_id)
  union select f.id::text from finding f where $1::uuid in (f.subject_id, f.change_request_id)
  union select v.id::text from model_version v where v.model_id = $1::uuid
  union select a.id::text from model_alias a where $1::uuid in (a.model_id, a.version_id)
  union select e.id::text from evaluation e where e.version_id = $1::uuid
  union select e.id::text from evidence e where e.version_id = $1::uuid
  union select k.id::text from model_card k where k.version_id = $1::uuid
  union select a.id::text from artifact a where a.version_id = $1::uuid`;

/** The words of the index: without them PostgreSQL would read the whole trail. */
const told = `e.outcome = 'done'
  and e.subject_kind <> all (array['decision', 'decisionBatch', 'session', 'news', 'delivery', 'inbox', 'preference', 'run', 'trackedFile', 'loggedModel', 'slackDelivery'])`;

const columns = `
  select e.id, e.at, e.command, e.actor_kind as "actorKind", e.actor_id as "actorId", e.subject_kind as "subjectKind",
         e.subject_id as "subjectId", convert_from(e.canonical, 'utf8')::jsonb as body,
         c.subject_kind as "commentKind", c.subject_id::text as "commentSubject",
         case e.actor_kind
           when 'user' then (select display_name from app_user where id = e.actor_id::uuid)
           when 'service' then (select name from service_account where id = e.actor_id::uuid) end as "actorName"
    from audit_event e left join comment c on c.id = case when e.subject_kind = 'comment' then e.subject_id::uuid end`;

const readRows = async (
  db: ReadDb,
  subjectId: string | null,
  { input, may }: Pick<QueryContext<{ first: number; after?: string | null | undefined }>, 'input' | 'may'>,
): Promise<Row[]> => {
  const after = readCursor(input.after, 'time');
  const kinds = Object.entries(readableBy).flatMap(([kind, permission]) => (may(permission) ? [kind] : []));
  return db.sql<Row>(
    `${subjectId === null ? '' : `with around as (${around})`} ${columns}
      where ${told} and ${subjectId === null ? '$1::text is null' : 'e.subject_id in (select id from around)'}
        and ($2::timestamptz is null or (e.at, e.id) < ($2::timestamptz, $3::uuid))
        and (e.subject_kind = any($4) or ($5 and e.subject_kind <> all($6)))
        and ($7 or c.subject_kind is distinct from 'review')
      order by e.at desc, e.id desc limit $8`,
    [
      subjectId,
      after?.[0] ?? null,
      after?.[1] ?? null,
      kinds,
      may('audit:read'),
      Object.keys(readableBy),
      may('review:read'),
      input.first + 1,
    ],
  );
};

/** What a sentence is about: of a comment it is the thing that was commented on. */
const aboutOf = (row: Row): { readonly kind: string; readonly id: string } =>
  row.commentKind !== null && row.commentSubject !== null
    ? { kind: row.commentKind, id: row.commentSubject }
    : objectOf(deedOf(row), row.subjectId);

const deedOf = ({ command, subjectKind, body }: Row): Deed => ({ command, kind: subjectKind, ...body });

const viewOf = (row: Row, named: SubjectName | undefined): ActivityView[] => {
  const { id, at, command, actorKind, actorId, subjectKind, subjectId } = row;
  const done = sentenceOf(deedOf(row), named?.name ?? plainName(subjectKind));
  if (done === null) return [];
  const actorName = row.actorName ?? (actorKind === 'system' ? 'Countersign' : 'Somebody who has left');
  const sentence = `${actorName} ${done}`;
  const link = named?.link ?? null;
  return [{ id, at, actorKind, actorId, actorName, sentence, command, subjectKind, subjectId, link }];
};

/** Some entries say what another one tells already; such a page is shorter, and the cursor still leads on. */
const pageOfRows = async (
  db: ReadDb,
  rows: readonly Row[],
  input: { readonly first: number },
): Promise<Page<ActivityView>> => {
  const { nodes, pageInfo } = pageOf(
    rows,
    input,
    (row) => [row.at.toISOString(), row.id],
    (row) => row,
  );
  const names = await namesOf(db, nodes.map(aboutOf));
  const views = nodes.flatMap((row) => {
    const about = aboutOf(row);
    return viewOf(row, names(about.kind, about.id));
  });
  return { nodes: views, pageInfo };
};

export const listActivity = defineQuery({
  name: 'activity.list',
  describe:
    'Who did what to what, in sentences, newest first: in the whole workspace, or around one thing. Only what you may read.',
  permission: 'activity:read',
  input: z.object({
    ...pageInput,
    subjectId: z
      .uuid()
      .nullish()
      .describe('A change request, version, model, finding, use case, endpoint or review.'),
  }),
  handle: async (context): Promise<Page<ActivityView>> => {
    const { db, input, may } = context;
    const subjectId = input.subjectId ?? null;
    if (subjectId !== null) await requireVisible(db, subjectId, may('review:read'));
    return pageOfRows(db, await readRows(db, subjectId, context), input);
  },
});

/** What is not there, and what is not for these eyes, look the same. */
const requireVisible = async (db: ReadDb, id: string, seesReviews: boolean): Promise<void> => {
  const kinds = ['changeRequest', 'modelVersion', 'model', 'finding', 'useCase', 'endpoint', 'review'];
  const names = await namesOf(
    db,
    kinds.map((kind) => ({ kind, id })),
  );
  const seen = kinds.some((kind) => names(kind, id) !== undefined && (kind !== 'review' || seesReviews));
  if (!seen) throw notFound('What activity is asked of');
};
