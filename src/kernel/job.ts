import type { z } from 'zod';
import type { SystemActor } from './actor.js';
import type { AnyCommand, RunCommand } from './command.js';
import type { Subject } from './audit.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';
import type { Outside } from './ports.js';
import type { AskQuery } from './query.js';
import type { RunRecord } from './record.js';
import type { Clock } from './clock.js';

/** The queues: each has its own workers, so that CPU work cannot starve what is light. */
export const queues = ['light', 'decisions', 'heavy'] as const;

/** One queue of the closed list. */
export type QueueName = (typeof queues)[number];

/** What a handler of a job or a reaction is given. */
export interface JobContext<Payload> {
  readonly payload: Payload;
  readonly actor: SystemActor;
  readonly run: RunCommand;
  readonly ask: AskQuery;
  readonly record: RunRecord;
  readonly outside: Outside;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Aborted when the job's time is over or the worker stops. */
  readonly signal: AbortSignal;
  /** Tells how far it is (0 to 1) and what it does, for people who wait. */
  readonly progress: (fraction: number, message: string) => Promise<void>;
  /** The outbox row's id: the dedupe key of everything this job causes. */
  readonly jobId: string;
  readonly attempt: number;
}

/** Slow work, run at least once by a worker. Twice must be the same as once. */
export interface JobSpec<Schema extends z.ZodType> {
  /** `feature.verbNoun`, never changed once released: jobs in flight carry it. */
  readonly name: `${string}.${string}`;
  readonly queue: QueueName;
  readonly payload: Schema;
  readonly attempts: number;
  readonly timeoutMs: number;
  /** Whether people can watch it; then a row of `job` exists from the commit of the command on. */
  readonly visible?: boolean;
  readonly handle: (context: JobContext<z.output<Schema>>) => Promise<void>;
}

/** A job of any payload. */
export interface AnyJob {
  readonly kind: 'job';
  readonly name: string;
  readonly queue: QueueName;
  readonly attempts: number;
  readonly timeoutMs: number;
  readonly visible: boolean;
  /** Parses the payload, then works. */
  readonly perform: (payload: unknown, context: Omit<JobContext<unknown>, 'payload'>) => Promise<void>;
  readonly parse: (payload: unknown) => unknown;
}

/** A job with its payload's type, for `enqueue`. */
export interface Job<Payload> extends AnyJob {
  readonly accepts: (payload: Payload) => Payload;
}

/** Declares a job. */
export const defineJob = <Schema extends z.ZodType>(spec: JobSpec<Schema>): Job<z.input<Schema>> => ({
  kind: 'job',
  name: spec.name,
  queue: spec.queue,
  attempts: spec.attempts,
  timeoutMs: spec.timeoutMs,
  visible: spec.visible ?? false,
  parse: (payload) => spec.payload.parse(payload),
  accepts: (payload) => payload,
  perform: (payload, context) => spec.handle({ ...context, payload: spec.payload.parse(payload) }),
});

/** What a reaction learns of the change it follows. */
export interface Change {
  readonly commandId: string;
  readonly command: string;
  readonly subjects: readonly Subject[];
  readonly actor: { readonly kind: string; readonly id: string; readonly name: string };
}

/** Work that somebody else's change causes. */
export interface ReactionSpec {
  readonly name: `${string}.${string}`;
  readonly follows: readonly AnyCommand[];
  readonly queue?: QueueName;
  readonly attempts: number;
  readonly timeoutMs?: number;
  readonly handle: (context: JobContext<Change>) => Promise<void>;
}

/** A reaction: a job whose payload is the change. */
export interface Reaction extends AnyJob {
  readonly follows: ReadonlySet<string>;
}

/** Declares a reaction. */
export const defineReaction = (spec: ReactionSpec): Reaction => ({
  kind: 'job',
  name: spec.name,
  queue: spec.queue ?? 'light',
  attempts: spec.attempts,
  timeoutMs: spec.timeoutMs ?? 30_000,
  visible: false,
  follows: new Set(spec.follows.map((command) => command.name)),
  parse: (payload) => payload,
  perform: (payload, context) => spec.handle({ ...context, payload: payload as Change }),
});

/** One row for the outbox. */
export interface OutboxRow {
  readonly id: string;
  readonly job: string;
  readonly queue: QueueName;
  readonly payload: unknown;
  readonly workspaceId: string | null;
  readonly organizationId: string | null;
  readonly requestId: string | null;
  readonly availableAt: Date | null;
  /** Whether a row of `job` is shown to people, and about what. */
  readonly shown: { readonly subject: Subject } | null;
}
