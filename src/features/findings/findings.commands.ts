import { z } from 'zod';
import type { AuditEntry } from '../../kernel/audit.js';
import { defineCommand } from '../../kernel/command.js';
import type { ReadDb, Tx } from '../../kernel/db.js';
import { conflict, invalidInput, notFound } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import { Member } from '../workspaces/index.js';
import {
  Finding,
  findingSeverity,
  findingSubject,
  type FindingSeverity,
  type FindingSubject,
} from './finding.entity.js';

const text = z.string().trim().min(1);

/** What a new finding says. */
export interface NewFinding {
  readonly workspaceId: string;
  readonly title: string;
  readonly detail: string;
  readonly severity: FindingSeverity;
  readonly ownerId: string;
  readonly dueAt: Date;
  readonly subject: { readonly kind: FindingSubject; readonly id: string };
  /** The request whose approval opened it. */
  readonly changeRequestId: string | null;
  readonly createdBy: string;
  readonly now: Date;
}

/** Opens a finding in the caller's transaction; returns its id and what the trail must say of it. */
export const openFinding = async (
  tx: Tx,
  finding: NewFinding,
): Promise<{ id: string; audit: AuditEntry }> => {
  const id = newId();
  const { title, detail, severity, ownerId, dueAt, subject, changeRequestId } = finding;
  await tx.insert(Finding, {
    id,
    workspaceId: finding.workspaceId,
    title,
    detail,
    severity,
    ownerId,
    dueAt,
    state: 'OPEN',
    subjectKind: subject.kind,
    subjectId: subject.id,
    changeRequestId,
    createdBy: finding.createdBy,
    createdAt: finding.now,
    resolution: null,
    resolvedBy: null,
    resolvedAt: null,
  });
  const audit: AuditEntry = {
    subject: { kind: 'finding', id },
    changes: { state: { from: null, to: 'OPEN' }, severity: { from: null, to: severity } },
    facts: { title, ownerId, dueAt: dueAt.toISOString(), about: subject, changeRequestId },
  };
  return { id, audit };
};

const tables: Readonly<Record<FindingSubject, string>> = {
  model: 'registered_model',
  modelVersion: 'model_version',
  useCase: 'use_case',
  changeRequest: 'change_request',
  endpoint: 'endpoint',
};

/** What a finding is about must be seen in this workspace. */
const requireSubject = async (db: ReadDb, kind: FindingSubject, id: string): Promise<void> => {
  const rows = await db.sql(`select 1 from ${tables[kind]} where id = $1`, [id]);
  if (rows.length === 0) throw notFound(`The ${kind} that the finding is about`);
};

const requireOwner = async (db: ReadDb, userId: string): Promise<void> => {
  if (await db.findOne(Member, { userId })) return;
  throw invalidInput('The owner of a finding must be a person of this workspace', [
    { path: 'ownerId', message: 'is not a member of this workspace' },
  ]);
};

export const createFinding = defineCommand({
  name: 'finding.create',
  describe: 'Opens a finding: something that is wrong or open, with an owner and a due date.',
  permission: 'finding:create',
  input: z.object({
    title: text.max(200),
    detail: text.max(4000),
    severity: findingSeverity,
    ownerId: z.uuid(),
    dueAt: z.coerce.date(),
    subjectKind: findingSubject,
    subjectId: z.uuid(),
  }),
  target: async (tx, input) => {
    await requireSubject(tx, input.subjectKind, input.subjectId);
    return { id: input.subjectId };
  },
  handle: async ({ tx, actor, input, now }) => {
    await requireOwner(tx, input.ownerId);
    if (input.dueAt <= now) {
      throw invalidInput('A finding is due in the future', [{ path: 'dueAt', message: 'lies in the past' }]);
    }
    const { title, detail, severity, ownerId, dueAt, subjectKind, subjectId } = input;
    const workspaceId = actor.workspaceId ?? '';
    const subject = { kind: subjectKind, id: subjectId };
    const told = { title, detail, severity, ownerId, dueAt, subject };
    const opened = await openFinding(tx, {
      ...told,
      workspaceId,
      changeRequestId: null,
      createdBy: actor.id,
      now,
    });
    return { result: { id: opened.id }, audit: opened.audit };
  },
});

export const resolveFinding = defineCommand({
  name: 'finding.resolve',
  describe: 'Closes a finding and says how it was settled.',
  permission: 'finding:resolve',
  input: z.object({ findingId: z.uuid(), resolution: text.max(4000) }),
  target: async (tx, input) => {
    const found = await tx.lock(Finding, { id: input.findingId });
    if (!found) throw notFound('The finding');
    return found;
  },
  handle: async ({ tx, actor, input, target, now }) => {
    if (target.state === 'RESOLVED') {
      throw conflict('The finding is resolved already', {
        rule: 'finding-resolved',
        resolvedAt: target.resolvedAt,
      });
    }
    const resolved = {
      state: 'RESOLVED',
      resolution: input.resolution,
      resolvedBy: actor.id,
      resolvedAt: now,
    } as const;
    await tx.update(Finding, { id: target.id }, resolved);
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'finding', id: target.id },
        changes: {
          state: { from: target.state, to: 'RESOLVED' },
          resolution: { from: null, to: input.resolution },
        },
      },
    };
  },
});
