import type { Actor } from './actor.js';
import type { AuditEntry } from './audit.js';
import type { Tx } from './db.js';
import type { Signer } from './signer.js';

/** What a consequence is given: what the command says that it changed, and the transaction it did it in. */
export interface ConsequenceContext {
  readonly tx: Tx;
  readonly actor: Actor;
  /** Entries of the command about the kinds that are followed; at least one. */
  readonly entries: readonly AuditEntry[];
  readonly now: Date;
  readonly signer: Signer;
}

/**
 * What must be true in the very transaction of somebody else's change: if it fails, the change does not happen, and
 * if the change is taken back, so is it. It follows the trail and not the names of commands, because no command can
 * change something without an entry, whatever it will be called one day. It may wait for nothing outside; what may
 * come a moment later is a reaction.
 */
export interface Consequence {
  readonly name: `${string}.${string}`;
  /** Kinds of subjects whose entries it looks at. */
  readonly follows: ReadonlySet<string>;
  /** Returns what the trail must say of its own changes. These cause nothing further. */
  readonly handle: (context: ConsequenceContext) => Promise<readonly AuditEntry[]>;
}

/** Declares a consequence; app.ts lists it. */
export const defineConsequence = (spec: {
  readonly name: Consequence['name'];
  readonly follows: readonly string[];
  readonly handle: Consequence['handle'];
}): Consequence => ({ ...spec, follows: new Set(spec.follows) });

/** The entries of a command with those of what followed from it. */
export const withConsequences = async (
  consequences: readonly Consequence[],
  context: ConsequenceContext,
): Promise<readonly AuditEntry[]> => {
  const all = [...context.entries];
  for (const { follows, handle } of consequences) {
    const entries = context.entries.filter(({ subject }) => follows.has(subject.kind));
    if (entries.length > 0) all.push(...(await handle({ ...context, entries })));
  }
  return all;
};
