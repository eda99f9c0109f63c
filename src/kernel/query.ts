import type { z } from 'zod';
import type { Actor } from './actor.js';
import { appendAudit, auditRows, type AuditEntry } from './audit.js';
import type { Clock } from './clock.js';
import type { Machine } from './command.js';
import type { ReadDb } from './db.js';
import { AppError } from './errors.js';
import { newId } from './id.js';
import { parseInput } from './input.js';
import type { Permission } from './permissions.js';
import { sealerIn, unsealerOver, type Unsealer } from './sealing.js';
import type { Signer } from './signer.js';

/** What a query's handler is given. */
export interface QueryContext<Input> {
  readonly db: ReadDb;
  readonly actor: Actor;
  readonly input: Input;
  readonly now: Date;
  readonly clock: Clock;
  readonly unsealer: Unsealer;
  /** For what is signed when it is asked for. */
  readonly signer: Signer;
  readonly may: (permission: Permission) => boolean;
  /** The roles that hold a permission, to find whom something concerns. */
  readonly holders: (permission: Permission) => readonly string[];
}

/** A read. It cannot write: it gets a database that has no way to, over a role that may not. */
export interface QuerySpec<Schema extends z.ZodType, Result> {
  /** `noun.verb`. */
  readonly name: `${string}.${string}`;
  readonly describe: string;
  readonly permission: Permission;
  /** `installation` reads what stands above workspaces. */
  readonly scope?: 'workspace' | 'installation';
  readonly input: Schema;
  /** For what must leave a trace when it is read: what was read, in the trail's words. */
  readonly recordAccess?: (input: z.output<Schema>, result: Result, actor: Actor) => AuditEntry | null;
  readonly handle: (context: QueryContext<z.output<Schema>>) => Promise<Result>;
}

/** A query, as a value. */
export interface Query<Input, Result> {
  readonly name: string;
  readonly describe: string;
  readonly permission: Permission;
  readonly scope: 'workspace' | 'installation';
  readonly input: z.ZodType;
  readonly accepts: (input: Input) => Promise<Result>;
  readonly execute: (machine: Machine, actor: Actor, input: unknown) => Promise<Result>;
}

/** A query of any input and result. */
export type AnyQuery = Pick<Query<never, unknown>, 'name' | 'describe' | 'permission' | 'scope' | 'input'>;

/** Asks a query as an actor. */
export type AskQuery = <Input, Result>(
  query: Query<Input, Result>,
  actor: Actor,
  input: Input,
) => Promise<Result>;

/** Declares a query. */
export const defineQuery = <Schema extends z.ZodType, Result>(
  spec: QuerySpec<Schema, Result>,
): Query<z.input<Schema>, Result> => ({
  name: spec.name,
  describe: spec.describe,
  permission: spec.permission,
  scope: spec.scope ?? 'workspace',
  input: spec.input,
  accepts: () => Promise.reject(new Error('A query is asked by the query runner')),
  execute: (machine, actor, input) => execute(spec, machine, actor, input),
});

/** Makes the one way in which queries are asked. */
export const queryRunner =
  (machine: Machine): AskQuery =>
  async (query, actor, input) => {
    const started = performance.now();
    const done = (outcome: string): void => {
      machine.observe('query', query.name, outcome, (performance.now() - started) / 1000);
    };
    try {
      const result = await query.execute(machine, actor, input);
      done('done');
      return result;
    } catch (error) {
      done(error instanceof AppError ? error.code : 'error');
      throw error;
    }
  };

const execute = async <Schema extends z.ZodType, Result>(
  spec: QuerySpec<Schema, Result>,
  machine: Machine,
  actor: Actor,
  raw: unknown,
): Promise<Result> => {
  const input = parseInput(spec.input, raw);
  requireScope(spec, actor);
  await authorize(spec, machine, actor);
  const role = spec.scope === 'installation' ? 'app_system' : 'app_reader';
  const { workspaceId, organizationId } = actor;
  // The reader's role cannot write; the system's could, so the transaction itself is read-only too.
  const session = { workspaceId, organizationId, commandId: null, readOnly: true };
  const result = await machine.db.transact(role, session, (db) =>
    spec.handle({
      db,
      actor,
      input,
      now: machine.clock.now(),
      clock: machine.clock,
      unsealer: unsealerOver(db, machine.keyring),
      signer: machine.signer,
      may: (permission) => machine.access.may(actor, permission),
      holders: (permission) => machine.access.holders(permission),
    }),
  );
  const entry = spec.recordAccess?.(input, result, actor) ?? null;
  if (entry) await recordRead(spec.name, machine, actor, entry, 'read');
  return result;
};

const requireScope = (spec: { name: string; scope?: string }, actor: Actor): void => {
  if (spec.scope === 'installation' || actor.workspaceId !== null) return;
  throw new AppError('PRECONDITION_FAILED', `Choose a workspace first: ${spec.name} looks into one`, {
    header: 'x-countersign-workspace',
  });
};

/** What leaves a trace when it is read leaves one when reading it is refused. */
const authorize = async (
  spec: { name: string; permission: Permission; recordAccess?: unknown },
  machine: Machine,
  actor: Actor,
): Promise<void> => {
  const { name, permission } = spec;
  if (machine.access.may(actor, permission)) return;
  const error = new AppError('FORBIDDEN', `You may not read this: it needs ${permission}`, {
    rule: 'permission',
    permission,
    heldBy: machine.access.holders(permission),
  });
  if (spec.recordAccess) {
    const subject = { kind: 'workspace', id: actor.workspaceId ?? 'installation' };
    const facts = { code: error.code, reason: error.message, details: error.details };
    await recordRead(name, machine, actor, { subject, facts }, 'refused');
  }
  throw error;
};

/** The trace of a read is committed before the answer leaves. */
const recordRead = async (
  command: string,
  machine: Machine,
  actor: Actor,
  entry: AuditEntry,
  outcome: 'read' | 'refused',
): Promise<void> => {
  const { workspaceId, organizationId } = actor;
  const commandId = newId();
  const role = workspaceId === null ? 'app_system' : 'app_writer';
  await machine.db.transact(role, { workspaceId, organizationId, commandId }, async (tx) => {
    const deed = { command, commandId, actor, at: machine.clock.now(), outcome };
    appendAudit(tx, await auditRows(deed, entry, sealerIn(tx, machine.keyring)));
  });
};
