import type { Access } from '../kernel/access.js';
import type { Actor } from '../kernel/actor.js';
import type { RunCommand } from '../kernel/command.js';
import type { AskQuery } from '../kernel/query.js';
import type { RunRecording } from '../kernel/record.js';
import type { Deadline } from './deadline.js';

/** What a resolver is given: who acts, and the three ways through. Nothing with which one could write. */
export interface Context {
  readonly actor: Actor;
  readonly run: RunCommand;
  readonly ask: AskQuery;
  readonly record: RunRecording;
  readonly access: Access;
  /** One loader per request and key, so that nested fields are read in batches. */
  readonly loaders: Map<string, unknown>;
}

/** What contexts are made of. */
export interface ContextParts {
  readonly run: RunCommand;
  readonly ask: AskQuery;
  readonly record: RunRecording;
  readonly access: Access;
}

/** The context of one operation. When its time is over, it begins nothing any more. */
export const contextFor = (parts: ContextParts, actor: Actor, deadline: Deadline): Context => ({
  actor,
  access: parts.access,
  loaders: new Map(),
  run: (command, by, input, options) => {
    deadline.throwIfAborted();
    return parts.run(command, by, input, options);
  },
  ask: (query, by, input) => {
    deadline.throwIfAborted();
    return parts.ask(query, by, input);
  },
  record: (recording, by, input) => {
    deadline.throwIfAborted();
    return parts.record(recording, by, input);
  },
});
