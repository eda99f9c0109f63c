import type { z } from 'zod';
import type { Actor } from './actor.js';
import { appendAudit, auditRows, auditStatements, type AuditEntry } from './audit.js';
import type { Machine } from './command.js';
import type { Tx } from './db.js';
import { AppError } from './errors.js';
import { createGatherer } from './gather.js';
import { newId } from './id.js';
import { parseInput } from './input.js';
import type { Job } from './job.js';
import { enqueuer, outboxFor, outboxStatements, type Enqueued } from './outbox.js';
import type { Permission } from './permissions.js';
import { repeatedly } from './repeat.js';
import { keysOf, sealerIn, type Sealer } from './sealing.js';
import { runAtCommit } from './statement.js';

/** What the writer of a batch is given. Governed tables refuse it: PostgreSQL wants a command for those. */
export interface RecordContext {
  readonly tx: Tx;
  readonly now: Date;
  readonly sealer: Sealer;
  /** Makes or reads the keys of many persons in one go. */
  readonly keysOf: (subjectIds: readonly string[]) => Promise<ReadonlyMap<string, Buffer>>;
  readonly enqueue: <Payload>(job: Job<Payload>, payload: Payload, options?: { notBefore?: Date }) => string;
}

/** What a batch leaves behind: its result and, when runs finished, the one entry that holds their Merkle root. */
export interface RecordOutcome<Result> {
  readonly result: Result;
  readonly audit: AuditEntry | null;
}

/** Telemetry by the million: append-only rows of one workspace, many at a time. */
export interface RecordSpec<Result> {
  readonly name: `${string}.${string}`;
  readonly permission: Permission;
  /** What the trail says of a refusal, beside its rule; without it a refusal leaves no entry. */
  readonly about?: Readonly<Record<string, unknown>>;
  readonly write: (context: RecordContext) => Promise<RecordOutcome<Result>>;
}

/** Records a batch as an actor. */
export type RunRecord = <Result>(actor: Actor, spec: RecordSpec<Result>) => Promise<Result>;

/** Makes the one way in which telemetry is recorded. */
export const recordRunner =
  (machine: Machine): RunRecord =>
  async (actor, spec) => {
    const started = performance.now();
    const done = (outcome: string): void => {
      machine.observe('record', spec.name, outcome, (performance.now() - started) / 1000);
    };
    try {
      authorize(machine, actor, spec);
      const result = await repeatedly(() => writeBatch(machine, actor, spec));
      done('done');
      return result;
    } catch (error) {
      done(error instanceof AppError ? error.code : 'error');
      if (error instanceof AppError) await recordRefusal(machine, actor, spec, error);
      throw error;
    }
  };

/** A wrong input or an unknown name is no attempt at anything; these are. */
const attempts: ReadonlySet<string> = new Set(['FORBIDDEN', 'PRECONDITION_FAILED', 'CONFLICT']);

/** A refused attempt stands in the trail as that at a command does. */
const recordRefusal = async <Result>(
  machine: Machine,
  actor: Actor,
  { name, about }: RecordSpec<Result>,
  { code, message, details }: AppError,
): Promise<void> => {
  const { workspaceId, organizationId } = actor;
  if (!about || workspaceId === null || !attempts.has(code)) return;
  const commandId = newId();
  const subject = { kind: 'workspace', id: workspaceId };
  const facts = { ...about, code, reason: message, details };
  await machine.db.transact('app_writer', { workspaceId, organizationId, commandId }, async (tx) => {
    const deed = { command: name, commandId, actor, at: machine.clock.now(), outcome: 'refused' } as const;
    appendAudit(tx, await auditRows(deed, { subject, facts }, sealerIn(tx, machine.keyring)));
  });
};

const authorize = (
  { access }: Machine,
  actor: Actor,
  { name, permission }: { name: string; permission: Permission },
): void => {
  if (actor.workspaceId === null) {
    throw new AppError('PRECONDITION_FAILED', `Choose a workspace first: ${name} records in one`, {
      header: 'x-countersign-workspace',
    });
  }
  if (access.may(actor, permission)) return;
  throw new AppError('FORBIDDEN', `You may not record this: it needs ${permission}`, {
    rule: 'permission',
    permission,
    heldBy: access.holders(permission),
  });
};

const writeBatch = <Result>(machine: Machine, actor: Actor, spec: RecordSpec<Result>): Promise<Result> => {
  const { workspaceId, organizationId } = actor;
  const commandId = newId();
  const session = { workspaceId, organizationId, commandId, way: 'record' } as const;
  return machine.db.transact('app_writer', session, async (tx) => {
    const now = machine.clock.now();
    const sealer = sealerIn(tx, machine.keyring);
    const enqueued: Enqueued[] = [];
    const { result, audit } = await spec.write({
      tx,
      now,
      sealer,
      keysOf: (ids) => keysOf(tx, machine.keyring, ids),
      enqueue: enqueuer(enqueued),
    });
    const deed = { command: spec.name, commandId, actor, at: now, outcome: 'done' } as const;
    const rows = audit ? await auditRows(deed, audit, sealer) : [];
    runAtCommit(tx, [...auditStatements(rows), ...outboxStatements(outboxFor(actor, enqueued, []))]);
    return result;
  });
};

/** A way to record from outside: what a door offers, with the input that it takes. */
export interface Recording<Input, Result> {
  readonly name: `${string}.${string}`;
  /** One sentence for the API's documentation. */
  readonly describe: string;
  readonly permission: Permission;
  readonly scope: 'workspace';
  readonly input: z.ZodType;
  /** Parses the input and says what is to be written, for {@link RunRecord}. */
  readonly of: (actor: Actor, input: Input) => RecordSpec<Result>;
  /** The key under which calls of one actor may share a transaction; null when each has its own. */
  readonly sharing: ((input: Input) => string) | null;
  /** Several calls of one actor in one transaction, all or none. */
  readonly ofMany: (actor: Actor, inputs: readonly Input[]) => RecordSpec<readonly Result[]>;
}

/**
 * Declares a recording. It is bound to a mutation like a command, and differs from one in this: it writes telemetry,
 * so it needs no entry in the trail for each row.
 */
export const defineRecording = <Schema extends z.ZodType, Result>(spec: {
  readonly name: `${string}.${string}`;
  readonly describe: string;
  readonly permission: Permission;
  readonly input: Schema;
  /** What a refusal says in the trail of what was asked: names, never data about a person. */
  readonly about?: (input: z.output<Schema>) => Readonly<Record<string, unknown>>;
  readonly write: (
    context: RecordContext,
    input: z.output<Schema>,
    actor: Actor,
  ) => Promise<RecordOutcome<Result>>;
  /** For calls that are small and many: those that arrive while one is under way are written together. */
  readonly together?: {
    readonly key: (input: z.input<Schema>) => string;
    readonly write: (
      context: RecordContext,
      inputs: readonly z.output<Schema>[],
      actor: Actor,
    ) => Promise<RecordOutcome<readonly Result[]>>;
  };
}): Recording<z.input<Schema>, Result> => ({
  name: spec.name,
  describe: spec.describe,
  permission: spec.permission,
  scope: 'workspace',
  input: spec.input,
  of: (actor, input) => {
    const parsed = parseInput(spec.input, input);
    const { name, permission } = spec;
    const about = spec.about?.(parsed);
    return {
      name,
      permission,
      ...(about && { about }),
      write: (context) => spec.write(context, parsed, actor),
    };
  },
  sharing: spec.together?.key ?? null,
  ofMany: (actor, inputs) => {
    const { name, permission, together } = spec;
    if (!together) throw new Error(`Calls of ${name} are written one by one`);
    const parsed = inputs.map((input) => parseInput(spec.input, input));
    return { name, permission, write: (context) => together.write(context, parsed, actor) };
  },
});

/** Records what a door was given. Doors get this and not {@link RunRecord}, so they cannot write rows of their own. */
export type RunRecording = <Input, Result>(
  recording: Recording<Input, Result>,
  actor: Actor,
  input: Input,
) => Promise<Result>;

interface SharedCall {
  readonly recording: Recording<unknown, unknown>;
  readonly actor: Actor;
  readonly input: unknown;
}

const mostShared = 50;

/** The way of recordings over the way of batches. */
export const recordingRunner = (record: RunRecord): RunRecording => {
  const gatherer = createGatherer<SharedCall, PromiseSettledResult<unknown>>({
    atOnce: 1,
    most: mostShared,
    sizeOf: () => 1,
    perform: (calls) => recordTogether(record, calls),
  });
  return async <Input, Result>(
    recording: Recording<Input, Result>,
    actor: Actor,
    input: Input,
  ): Promise<Result> => {
    if (!recording.sharing) return record(actor, recording.of(actor, input));
    // A call that cannot be read is refused before it meets others.
    parseInput(recording.input, input);
    const key = JSON.stringify([recording.name, identityOf(actor), recording.sharing(input)]);
    const shared: SharedCall = { recording: recording as unknown as SharedCall['recording'], actor, input };
    const settled = await gatherer.add(key, shared);
    if (settled.status === 'rejected') throw settled.reason;
    // Made by this very recording, one result per call.
    return settled.value as Result;
  };
};

/** Everything by which an actor is judged: calls share a transaction only when all of it is the same. */
const identityOf = (actor: Actor): unknown => {
  const { kind, id, workspaceId, organizationId } = actor;
  const holder = actor.kind === 'system' ? [] : [actor.tokenId, actor.roles, actor.scopes];
  return [kind, id, workspaceId, organizationId, ...holder];
};

/** All in one transaction; when one of them is refused, each in its own, so that nobody pays for a neighbour. */
const recordTogether = async (
  record: RunRecord,
  calls: readonly [SharedCall, ...SharedCall[]],
): Promise<PromiseSettledResult<unknown>[]> => {
  const [{ recording, actor, input }, ...others] = calls;
  if (others.length > 0) {
    try {
      const inputs = [input, ...others.map((call) => call.input)];
      const values = await record(actor, recording.ofMany(actor, inputs));
      return values.map((value) => ({ status: 'fulfilled', value }));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  }
  return Promise.allSettled(
    calls.map((call) => record(call.actor, call.recording.of(call.actor, call.input))),
  );
};
