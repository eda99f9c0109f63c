import { z } from 'zod';
import { invalidInput, notFound } from '../../../kernel/errors.js';
import { maxPageSize, pageInput, pageOf, readCursor, type Page } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';
import { changeKind, changeState } from '../change-request.entity.js';
import { policyInForce, readPolicyDocument, type PolicyInForce } from '../policy-in-force.js';
import { readApprovals, readChanges, type ApprovalView, type ChangeView } from './change-view.js';

export const changeById = defineQuery({
  name: 'changeRequest.byId',
  describe: 'One change request, by id or by its number in the workspace.',
  permission: 'changeRequest:read',
  input: z.object({ id: z.uuid().nullish(), number: z.int().min(1).nullish() }),
  handle: async ({ db, input }): Promise<ChangeView> => {
    if ((input.id ?? null) === null && (input.number ?? null) === null) {
      throw invalidInput('Give the id or the number of the change request', [
        { path: 'id', message: 'or number is required' },
      ]);
    }
    const [view] = await readChanges(
      db,
      'where ($1::uuid is null or c.id = $1) and ($2::int is null or c.number = $2) limit 1',
      [input.id ?? null, input.number ?? null],
    );
    if (!view) throw notFound('The change request');
    return view;
  },
});

export const listChanges = defineQuery({
  name: 'changeRequest.list',
  describe:
    'Change requests, newest first; all of them, or those in one state, of one kind, or about one version.',
  permission: 'changeRequest:read',
  input: z.object({
    ...pageInput,
    state: changeState.nullish(),
    kind: changeKind.nullish(),
    versionId: z.uuid().nullish(),
    endpointId: z.uuid().nullish(),
  }),
  handle: async ({ db, input }): Promise<Page<ChangeView>> => {
    const after = readCursor(input.after);
    const rows = await readChanges(
      db,
      `where ($1::uuid is null or c.id < $1::uuid) and ($2::text is null or c.state = $2)
         and ($3::text is null or c.kind = $3) and ($4::uuid is null or c.version_id = $4::uuid)
         and ($5::uuid is null or c.endpoint_id = $5::uuid)
       order by c.id desc limit $6`,
      [
        after?.[0] ?? null,
        input.state ?? null,
        input.kind ?? null,
        input.versionId ?? null,
        input.endpointId ?? null,
        input.first + 1,
      ],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

export const approvalsOf = defineQuery({
  name: 'changeRequest.approvals',
  describe: 'The decisions on change requests, void ones included.',
  permission: 'changeRequest:read',
  input: z.object({ ids: z.array(z.uuid()).max(maxPageSize) }),
  handle: ({ db, input }): Promise<ApprovalView[]> => readApprovals(db, input.ids),
});

export const divergedChanges = defineQuery({
  name: 'changeRequest.diverged',
  describe: 'Which of these change requests have diverged from what was approved.',
  permission: 'changeRequest:read',
  input: z.object({ ids: z.array(z.uuid()).max(maxPageSize) }),
  handle: async ({ db, input }): Promise<string[]> => {
    const rows = await db.sql<{ id: string }>(
      'select id from change_request where id = any($1) and diverged_at is not null',
      [input.ids],
    );
    return rows.map((row) => row.id);
  },
});

export const policyNow = defineQuery({
  name: 'policy.read',
  describe: 'The approval policy in force; revision 0 is the default of the installation.',
  permission: 'policy:read',
  input: z.object({}),
  handle: ({ db }): Promise<PolicyInForce> => policyInForce(db),
});

export const listPolicies = defineQuery({
  name: 'policy.list',
  describe: 'Every revision of the approval policy that this workspace has set, newest first.',
  permission: 'policy:read',
  input: z.object({ ...pageInput }),
  handle: async ({ db, input }): Promise<Page<PolicyInForce>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<PolicyInForce & { readonly id: string }>(
      `select id, revision, document, sha256, source, change_request_id as "changeRequestId", created_at as "createdAt"
         from approval_policy where $1::uuid is null or id < $1::uuid order by id desc limit $2`,
      [after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => ({ ...row, document: readPolicyDocument(row.id, row.document) }),
    );
  },
});
