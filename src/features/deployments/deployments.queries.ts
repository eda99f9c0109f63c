import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';
import { invalidInput, notFound } from '../../kernel/errors.js';
import { maxPageSize, pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery } from '../../kernel/query.js';
import { endpointState, type EndpointState } from './endpoint.entity.js';

/** An endpoint as shown, with what its alias names now. */
export interface EndpointView {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly useCaseId: string;
  readonly useCaseName: string;
  readonly modelId: string;
  readonly modelName: string;
  readonly alias: string;
  /** What the alias names at this moment, when that was approved for this use. */
  readonly versionId: string | null;
  readonly version: number | null;
  /** The request through which the alias came to name it. */
  readonly changeRequestId: string | null;
  readonly state: EndpointState;
  readonly suspendedBy: string | null;
  readonly suspendedByName: string | null;
  readonly suspendedAt: Date | null;
  readonly suspensionReason: string | null;
  readonly resumeRequestId: string | null;
  readonly createdAt: Date;
}

const select = `
  select e.id, e.slug, e.name, e.use_case_id as "useCaseId", u.name as "useCaseName", e.model_id as "modelId",
         m.name as "modelName", e.alias, a.version_id as "versionId", v.version, a.change_request_id as "changeRequestId",
         e.state, e.suspended_by as "suspendedBy", p.display_name as "suspendedByName",
         e.suspended_at as "suspendedAt", e.suspension_reason as "suspensionReason", r.id as "resumeRequestId",
         e.created_at as "createdAt"
    from endpoint e
    join use_case u on u.id = e.use_case_id
    join registered_model m on m.id = e.model_id
    left join model_alias a on a.model_id = e.model_id and a.name = e.alias and a.use_case_id = e.use_case_id
     and a.change_request_id is not null
    left join model_version v on v.id = a.version_id
    left join app_user p on p.id::text = e.suspended_by
    left join change_request r on r.endpoint_id = e.id and r.state in ('OPEN', 'APPROVED')`;

const readEndpoints = (db: ReadDb, where: string, values: readonly unknown[]): Promise<EndpointView[]> =>
  db.sql<EndpointView>(`${select} ${where}`, values);

export const endpointById = defineQuery({
  name: 'endpoint.byId',
  describe: 'One endpoint, by id or by its short name.',
  permission: 'endpoint:read',
  input: z.object({ id: z.uuid().nullish(), slug: z.string().max(63).nullish() }),
  handle: async ({ db, input }): Promise<EndpointView> => {
    if ((input.id ?? null) === null && (input.slug ?? null) === null) {
      throw invalidInput('Give the id or the slug of the endpoint', [
        { path: 'id', message: 'or slug is required' },
      ]);
    }
    const [row] = await readEndpoints(
      db,
      'where ($1::uuid is null or e.id = $1) and ($2::text is null or e.slug = $2)',
      [input.id ?? null, input.slug ?? null],
    );
    if (!row) throw notFound('The endpoint');
    return row;
  },
});

export const listEndpoints = defineQuery({
  name: 'endpoint.list',
  describe: 'The endpoints of the workspace, newest first; all of them, or those in one state.',
  permission: 'endpoint:read',
  input: z.object({ ...pageInput, state: endpointState.nullish() }),
  handle: async ({ db, input }): Promise<Page<EndpointView>> => {
    const after = readCursor(input.after);
    const rows = await readEndpoints(
      db,
      `where ($1::uuid is null or e.id < $1::uuid) and ($2::text is null or e.state = $2) order by e.id desc limit $3`,
      [after?.[0] ?? null, input.state ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

export const approvedResumes = defineQuery({
  name: 'endpoint.approvedResumes',
  describe: 'Which of these change requests approve that an endpoint resumes and wait to be carried out.',
  permission: 'changeRequest:read',
  input: z.object({ changeRequestIds: z.array(z.uuid()).max(maxPageSize) }),
  handle: async ({ db, input }): Promise<string[]> => {
    const rows = await db.sql<{ id: string }>(
      `select id from change_request where id = any($1) and kind = 'ENDPOINT_RESUME' and state = 'APPROVED' order by id`,
      [input.changeRequestIds],
    );
    return rows.map((row) => row.id);
  },
});
