import { z } from 'zod';
import type { ReadDb } from '../../../kernel/db.js';
import { maxPageSize } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';
import type { EvidenceKind } from '../../evaluations/index.js';
import type { StalingEvent } from '../policy-document.js';
import { policyInForce } from '../policy-in-force.js';

/** Whether the rules in force ask that an event makes evidence stale. */
export const policyAsks = async (db: ReadDb, event: StalingEvent): Promise<boolean> =>
  (await policyInForce(db)).document.evidence?.staleOn.includes(event) ?? false;

/** Evidence of a version that lost its ground, in one use case. */
export interface Aged {
  readonly useCaseId: string;
  readonly kinds: readonly EvidenceKind[];
}

/** A version of data that came, and the older one that a version of a model was trained on. */
export interface NewData {
  readonly versionId: string;
  readonly name: string;
  readonly version: number;
  readonly trainedOn: number;
  readonly registeredAt: Date;
}

const newData = `
  select l.version_id as "versionId", d.name, fresh.version, max(old.version) as "trainedOn",
         fresh.registered_at as "registeredAt"
    from dataset_version fresh
    join dataset d on d.id = fresh.dataset_id
    join dataset_version old on old.dataset_id = fresh.dataset_id and old.version < fresh.version
     and old.sha256 <> fresh.sha256
    join version_dataset l on l.workspace_id = old.workspace_id and l.sha256 = old.sha256
     and (l.dataset_version_id is null or l.dataset_version_id = old.id) and lower(l.role) in ('train', 'training')
    join model_version m on m.id = l.version_id and m.deleted_at is null
   where fresh.id = $1 and fresh.registered_at is not null and fresh.deleted_at is null
     and ($2::uuid is null or l.version_id = $2) and ($3::uuid is null or l.version_id > $3)
     and not exists (
       select from version_dataset n where n.version_id = l.version_id and n.sha256 = fresh.sha256)
     and exists (
       select from evidence e where e.version_id = l.version_id and e.created_at < fresh.registered_at)
   group by l.version_id, d.name, fresh.version, fresh.registered_at
   order by l.version_id limit $4`;

interface Asked {
  readonly datasetVersionId: string;
  readonly versionId: string | null;
  readonly after: string | null;
  readonly first: number;
}

/** The versions of models that were trained on an older version of the same data set, and not on this one. */
export const trainedOnOlder = (db: ReadDb, asked: Asked): Promise<NewData[]> =>
  db.sql<NewData>(newData, [asked.datasetVersionId, asked.versionId, asked.after, asked.first]);

/** The newest evidence of each kind that was there before a moment, by use case. */
export const evidenceBefore = (db: ReadDb, versionId: string, before: Date): Promise<Aged[]> =>
  db.sql<Aged>(
    `select use_case_id as "useCaseId", array_agg(kind order by kind) as kinds
       from (select distinct on (use_case_id, kind) use_case_id, kind, created_at from evidence
              where version_id = $1 order by use_case_id, kind, id desc) newest
      where created_at < $2 group by use_case_id order by use_case_id`,
    [versionId, before],
  );

/** The evidence that one person, or a machine of theirs, had measured: the newest of each kind. */
const measuredBy = `
  select newest.version_id, newest.use_case_id, newest.kind
    from (select distinct on (e.version_id, e.use_case_id, e.kind) e.version_id, e.use_case_id, e.kind, e.evaluation_id
            from evidence e
           where e.version_id in (select v.version_id from evaluation v where v.requested_by in (select id from them))
           order by e.version_id, e.use_case_id, e.kind, e.id desc) newest
    join evaluation run on run.id = newest.evaluation_id and run.requested_by in (select id from them)`;

const them = `
  with them(id) as (
    select $1::text
    union select id::text from service_account where created_by::text = $1
    union select service_account_id::text from api_token where created_by::text = $1 and service_account_id is not null)`;

/** By use case, the evidence of a version that a person had measured. */
export const evidenceMeasuredBy = (db: ReadDb, versionId: string, userId: string): Promise<Aged[]> =>
  db.sql<Aged>(
    `${them} select use_case_id as "useCaseId", array_agg(kind order by kind) as kinds from (${measuredBy}) found
      where version_id = $2 group by use_case_id order by use_case_id`,
    [userId, versionId],
  );

/** Whether the person is in the workspace with one of the roles; LEFT when they are not in it at all. */
export const standingOf = async (
  db: ReadDb,
  userId: string,
  roles: readonly string[],
): Promise<'HOLDS' | 'LOST' | 'LEFT'> => {
  const [member] = await db.sql<{ holds: boolean }>(
    `select (roles || roles_by_rule)::text[] && $2::text[] as holds from member
      where workspace_id = app_workspace() and user_id::text = $1`,
    [userId, roles],
  );
  if (!member) return 'LEFT';
  return member.holds ? 'HOLDS' : 'LOST';
};

/** A version whose evidence a new version of its training data makes stale. */
interface AgedByData {
  readonly versionId: string;
  readonly datasetVersionId: string;
}

export const agedByData = defineQuery({
  name: 'evidence.agedByData',
  describe: 'The versions of models whose evidence a new version of their training data makes stale.',
  permission: 'evaluation:read',
  input: z.object({
    datasetVersionId: z.uuid(),
    after: z.uuid().nullable(),
    first: z.int().min(1).max(maxPageSize),
  }),
  handle: async ({ db, input }): Promise<AgedByData[]> => {
    const { datasetVersionId } = input;
    if (!(await policyAsks(db, 'NEW_DATA_VERSION'))) return [];
    const all = await trainedOnOlder(db, { ...input, versionId: null });
    return all.map(({ versionId }) => ({ versionId, datasetVersionId }));
  },
});

/** A version of which somebody had evidence measured who may not any more. */
interface AgedByMember {
  readonly versionId: string;
  readonly userId: string;
  /** The roles of which they hold none. */
  readonly roles: string[];
}

export const agedByMember = defineQuery({
  name: 'evidence.agedByMember',
  describe: 'The versions of models whose evidence is stale because of a change of a member.',
  permission: 'evaluation:read',
  input: z.object({
    commandId: z.uuid(),
    after: z.uuid().nullable(),
    first: z.int().min(1).max(maxPageSize),
  }),
  handle: async ({ db, input, holders }): Promise<AgedByMember[]> => {
    if (!(await policyAsks(db, 'REVOKED_MEMBER'))) return [];
    const [told] = await db.sql<{ userId: string | null }>(
      `select convert_from(canonical, 'UTF8')::jsonb #>> '{facts,userId}' as "userId" from audit_event
        where command_id = $1 and subject_kind = 'member' and outcome = 'done' limit 1`,
      [input.commandId],
    );
    const userId = told?.userId ?? null;
    const roles = [...holders('evaluation:start')];
    if (userId === null || (await standingOf(db, userId, roles)) === 'HOLDS') return [];
    const rows = await db.sql<{ id: string }>(
      `${them} select distinct version_id as id from (${measuredBy}) found
        where $2::uuid is null or version_id > $2 order by version_id limit $3`,
      [userId, input.after, input.first],
    );
    return rows.map((row) => ({ versionId: row.id, userId, roles }));
  },
});
