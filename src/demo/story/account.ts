import { Refusal } from '../client.js';

/** Writes the account of the story: one line per step, facts below it. */
export interface Account {
  /** Plays one step; a step that throws ends the story. */
  step<T>(who: string, does: string, play: () => Promise<T>): Promise<T>;
  /** A fact below the running step. */
  fact(text: string): void;
  /** Something that must be true; the story ends when it is not. */
  holds(truth: boolean, what: string): void;
  /** Plays what must be refused, and returns the refusal. */
  refused(play: () => Promise<unknown>, rule: string): Promise<Refusal>;
  readonly steps: number;
}

/** A promise of the story that was not kept. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

/** Opens an account that is written line by line. */
export const openAccount = (write: (line: string) => void): Account => {
  let steps = 0;
  const holds = (truth: boolean, what: string): void => {
    if (!truth) throw new BrokenPromise(what);
  };
  return {
    get steps() {
      return steps;
    },
    fact: (text) => {
      write(`      ${text}`);
    },
    holds,
    step: async (who, does, play) => {
      steps += 1;
      write(`${String(steps).padStart(3)}. ${who} ${does}`);
      return play();
    },
    refused: async (play, rule) => {
      const refusal = await play().then(
        () => null,
        (error: unknown) => {
          if (error instanceof Refusal) return error;
          throw error;
        },
      );
      if (!refusal) throw new BrokenPromise(`This had to be refused by the rule ${rule}, but it was done`);
      holds(
        refusal.details['rule'] === rule,
        `Refused as expected, but by ${JSON.stringify(refusal.details)}, not ${rule}`,
      );
      write(`      refused (${rule}): ${refusal.message}`);
      return refusal;
    },
  };
};
