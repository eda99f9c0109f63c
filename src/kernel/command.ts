import type { z } from 'zod';
import type { Access } from './access.js';
import type { Actor } from './actor.js';
import {
  appendAudit,
  auditRows,
  auditStatements,
  listOf,
  type AuditEntries,
  type AuditEntry,
  type AuditRow,
  type Subject,
} from './audit.js';
import type { Clock } from './clock.js';
import { withConsequences, type Consequence } from './consequence.js';
import type { Db, Session, Tx } from './db.js';
import { AppError } from './errors.js';
import { newId } from './id.js';
import { parseInput } from './input.js';
import type { Change, Job, Reaction } from './job.js';
import { enqueuer, outboxFor, outboxStatements, type Enqueued } from './outbox.js';
import type { Permission } from './permissions.js';
import { repeatedly } from './repeat.js';
import { sealerIn, type Keyring, type Sealer } from './sealing.js';
import type { Signer } from './signer.js';
import { runAtCommit, type Statement } from './statement.js';

/** What a handler is given. It touches nothing outside of its transaction. */
export interface CommandContext<Input, Target> {
  readonly tx: Tx;
  readonly actor: Actor;
  readonly input: Input;
  readonly target: Target;
  readonly now: Date;
  readonly sealer: Sealer;
  /** Asks for work after the commit; returns the id under which it can be watched. */
  readonly enqueue: <Payload>(job: Job<Payload>, payload: Payload, options?: EnqueueOptions) => string;
}

/** What a job is about, and when it may start. */
export interface EnqueueOptions {
  readonly subject?: Subject;
  readonly notBefore?: Date;
}

/** What a handler returns: its result and what the trail says of it. */
export interface CommandOutcome<Result> {
  readonly result: Result;
  readonly audit: AuditEntries | typeof nothingChanged;
}

/** For a repeated request that found its work done: PostgreSQL refuses the commit if anything was changed after all. */
export const nothingChanged = Symbol('nothing changed');

/** Everything governed is changed by one of these. */
export interface CommandSpec<Schema extends z.ZodType, Target, Result> {
  /** `noun.verb`: the name in the trail and of the policy's subject. */
  readonly name: `${string}.${string}`;
  /** One sentence for the API's documentation. */
  readonly describe: string;
  readonly permission: Permission;
  /** `installation` is for what stands above workspaces (sign-in, organizations); it runs as the system role. */
  readonly scope?: 'workspace' | 'installation';
  readonly input: Schema;
  /** Loads and locks what the command acts on; throws NOT_FOUND. */
  readonly target: (tx: Tx, input: z.output<Schema>, actor: Actor) => Promise<Target>;
  readonly handle: (context: CommandContext<z.output<Schema>, Target>) => Promise<CommandOutcome<Result>>;
}

/** A command, as a value. */
export interface Command<Input, Result> {
  readonly name: string;
  readonly describe: string;
  readonly permission: Permission;
  readonly scope: 'workspace' | 'installation';
  readonly input: z.ZodType;
  readonly accepts: (input: Input) => Promise<Result>;
  readonly execute: (machine: Machine, actor: Actor, input: unknown, options: RunOptions) => Promise<Result>;
}

/** A command of any input and result. */
export type AnyCommand = Pick<
  Command<never, unknown>,
  'name' | 'describe' | 'permission' | 'scope' | 'input'
>;

/** How a run may be repeated safely. */
export interface RunOptions {
  /** The second run under the same key does nothing and returns what the first returned. */
  readonly effectKey?: string;
}

/** Runs a command as an actor. */
export type RunCommand = <Input, Result>(
  command: Command<Input, Result>,
  actor: Actor,
  input: Input,
  options?: RunOptions,
) => Promise<Result>;

/** What the runners stand on. */
export interface Machine {
  readonly db: Db;
  readonly access: Access;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly signer: Signer;
  readonly consequences: readonly Consequence[];
  readonly reactions: readonly Reaction[];
  readonly observe: (
    kind: 'command' | 'query' | 'record',
    name: string,
    outcome: string,
    seconds: number,
  ) => void;
}

/** Declares a command. */
export const defineCommand = <Schema extends z.ZodType, Target, Result>(
  spec: CommandSpec<Schema, Target, Result>,
): Command<z.input<Schema>, Result> => ({
  name: spec.name,
  describe: spec.describe,
  permission: spec.permission,
  scope: spec.scope ?? 'workspace',
  input: spec.input,
  accepts: () => Promise.reject(new Error('A command is run by the command runner')),
  execute: (machine, actor, input, options) => execute(spec, machine, actor, input, options),
});

/** Makes the one way in which commands are run. */
export const commandRunner =
  (machine: Machine): RunCommand =>
  async (command, actor, input, options = {}) => {
    const started = performance.now();
    const done = (outcome: string): void => {
      machine.observe('command', command.name, outcome, (performance.now() - started) / 1000);
    };
    try {
      const result = await command.execute(machine, actor, input, options);
      done('done');
      return result;
    } catch (error) {
      done(error instanceof AppError ? error.code : 'error');
      throw error;
    }
  };

const execute = async <Schema extends z.ZodType, Target, Result>(
  spec: CommandSpec<Schema, Target, Result>,
  machine: Machine,
  actor: Actor,
  raw: unknown,
  options: RunOptions,
): Promise<Result> => {
  const input = parseInput(spec.input, raw);
  requireScope(spec, actor);
  return repeatedly(async () => {
    const attempt: Attempt = {
      name: spec.name,
      machine,
      actor,
      commandId: newId(),
      enqueued: [],
      subject: null,
    };
    try {
      return await machine.db.transact(roleOf(spec), sessionOf(attempt), (tx) =>
        change(spec, attempt, tx, input, options),
      );
    } catch (error) {
      if (error instanceof AppError) await recordRefusal(spec, attempt, error);
      throw error;
    }
  });
};

const requireScope = (spec: { name: string; scope?: string }, actor: Actor): void => {
  if (spec.scope === 'installation' || actor.workspaceId !== null) return;
  throw new AppError('PRECONDITION_FAILED', `Choose a workspace first: ${spec.name} acts in one`, {
    header: 'x-countersign-workspace',
  });
};

/** One try at a command. */
interface Attempt {
  readonly name: string;
  readonly machine: Machine;
  readonly actor: Actor;
  readonly commandId: string;
  readonly enqueued: Enqueued[];
  /** Known once the target is loaded; refusals after that leave a trace. */
  subject: Subject | null;
}

const roleOf = (spec: { scope?: string }): 'app_system' | 'app_writer' =>
  spec.scope === 'installation' ? 'app_system' : 'app_writer';

const sessionOf = ({ actor, commandId }: Attempt): Session => ({
  workspaceId: actor.workspaceId,
  organizationId: actor.organizationId,
  commandId,
});

/** What happens within the transaction: target, right, handler; then trail, outbox and effect, which go out with the commit. */
const change = async <Schema extends z.ZodType, Target, Result>(
  spec: CommandSpec<Schema, Target, Result>,
  attempt: Attempt,
  tx: Tx,
  input: z.output<Schema>,
  { effectKey }: RunOptions,
): Promise<Result> => {
  const { machine, actor } = attempt;
  if (effectKey !== undefined) {
    const earlier = await claimEffect(tx, effectKey, actor);
    if (earlier) return earlier.result as Result;
  }
  const target = await spec.target(tx, input, actor);
  attempt.subject = subjectOf(spec.name, target, actor);
  authorize(spec.permission, attempt);
  const now = machine.clock.now();
  const sealer = sealerIn(tx, machine.keyring);
  const enqueue = enqueuer(attempt.enqueued);
  const { result, audit } = await spec.handle({ tx, actor, input, target, now, sealer, enqueue });
  const deed = { command: spec.name, commandId: attempt.commandId, actor, at: now, outcome: 'done' } as const;
  const rows = await auditRows(deed, await entriesAfter(attempt, tx, audit, now), sealer);
  runAtCommit(tx, [
    ...auditStatements(rows),
    ...outboxStatements(outboxFor(actor, attempt.enqueued, followersOf(attempt, rows))),
    ...(effectKey === undefined ? [] : [keepEffect(effectKey, result)]),
  ]);
  return result;
};

/** What the handler says that it changed, with what follows from it in the same transaction. */
const entriesAfter = async (
  { machine: { consequences, signer }, actor }: Attempt,
  tx: Tx,
  audit: AuditEntries | typeof nothingChanged,
  now: Date,
): Promise<readonly AuditEntry[]> => {
  if (audit === nothingChanged) return [];
  const entries = listOf(audit);
  if (actor.workspaceId === null) return entries;
  return withConsequences(consequences, { tx, actor, entries, now, signer });
};

const authorize = (permission: Permission, { machine: { access }, actor }: Attempt): void => {
  if (access.may(actor, permission)) return;
  // Refusals stand in the trail in plain text, so they name nobody.
  throw new AppError('FORBIDDEN', `You may not do this: it needs ${permission}`, {
    rule: 'permission',
    permission,
    heldBy: access.holders(permission),
  });
};

const followersOf = (
  { name, machine, actor, commandId }: Attempt,
  rows: readonly AuditRow[],
): { reaction: Reaction; change: Change }[] => {
  if (rows.length === 0) return [];
  const followers = machine.reactions.filter((reaction) => reaction.follows.has(name));
  if (followers.length === 0) return [];
  const subjects = rows.map((row) => ({ kind: row.subjectKind, id: row.subjectId }));
  const { kind, id } = actor;
  const made = { commandId, command: name, subjects, actor: { kind, id, name: actor.name } };
  return followers.map((reaction) => ({ reaction, change: made }));
};

/** Takes the key, or waits for whoever has it and gives what they kept. */
const claimEffect = async (
  tx: Tx,
  key: string,
  actor: Actor,
): Promise<{ readonly result: unknown } | null> => {
  const claimed = await tx.sql(
    `insert into effect (key, workspace_id) values ($1, $2) on conflict do nothing returning key`,
    [key, actor.workspaceId],
  );
  if (claimed.length > 0) return null;
  const [row] = await tx.sql<{ result: unknown }>('select result from effect where key = $1', [key]);
  if (!row) throw new AppError('CONFLICT', 'The same work is being done at this moment; try again', { key });
  return row;
};

const keepEffect = (key: string, result: unknown): Statement => ({
  text: 'update effect set result = $2 where key = $1',
  values: [key, JSON.stringify(result ?? null)],
});

/** A refusal is part of the trail too, in a transaction of its own since the other one is gone. */
const recordRefusal = async (spec: { scope?: string }, attempt: Attempt, error: AppError): Promise<void> => {
  const { name, machine, actor, commandId, subject } = attempt;
  if (!subject) return;
  await machine.db.transact(roleOf(spec), sessionOf(attempt), async (tx) => {
    const facts = { code: error.code, reason: error.message, details: error.details };
    const deed = { command: name, commandId, actor, at: machine.clock.now(), outcome: 'refused' } as const;
    appendAudit(tx, await auditRows(deed, { subject, facts }, sealerIn(tx, machine.keyring)));
  });
};

const subjectOf = (command: string, target: unknown, actor: Actor): Subject => {
  const kind = command.slice(0, command.indexOf('.'));
  if (typeof target === 'object' && target !== null && 'id' in target && typeof target.id === 'string') {
    return { kind, id: target.id };
  }
  return { kind: 'workspace', id: actor.workspaceId ?? 'installation' };
};
