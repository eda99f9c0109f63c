import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Actor } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';

/** Counts what people, tokens and addresses use up, per process and minute; refuses with RATE_LIMITED. */
export interface Limits {
  /** Charges cost units to a person (with all sessions and tokens of theirs) or to a service account's token. */
  charge(actor: Actor, cost: number): Promise<void>;
  /** Counts a sign-in that an address begins. */
  signIn(address: string): Promise<void>;
  /** Counts credentials of an address that were not valid. */
  failure(address: string): Promise<void>;
}

/** How much is allowed. */
export interface LimitOptions {
  /** Cost units per person or token and minute. */
  readonly perMinute: number;
  /** Sign-ins that one address may begin in a minute. */
  readonly signInsPerMinute?: number;
  /** Wrong credentials that one address may send in a minute. */
  readonly failuresPerMinute?: number;
}

const holderOf = (actor: Actor): string =>
  actor.kind === 'service' ? actor.tokenId : `${actor.kind}:${actor.id}`;

const limiter = (perMinute: number, sentence: string): ((key: string, cost: number) => Promise<void>) => {
  const counter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return async (key, cost) => {
    try {
      await counter.consume(key, cost);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const retryAfterSeconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
      const details = { retryAfterSeconds, limit: perMinute, perSeconds: 60 };
      throw new AppError('RATE_LIMITED', `${sentence}; wait ${String(retryAfterSeconds)} s`, details);
    }
  };
};

/** Opens the counters of a process. */
export const openLimits = (options: LimitOptions): Limits => {
  const work = limiter(options.perMinute, 'You have used up what a person or token may in a minute');
  const signIns = limiter(options.signInsPerMinute ?? 60, 'Too many sign-ins were begun from this address');
  const failures = limiter(
    options.failuresPerMinute ?? 60,
    'Too many wrong credentials came from this address',
  );
  return {
    charge: (actor, cost) => (actor.kind === 'system' ? Promise.resolve() : work(holderOf(actor), cost)),
    signIn: (address) => signIns(address, 1),
    failure: (address) => failures(address, 1),
  };
};
