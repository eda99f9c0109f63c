import type { Actor } from '../../../kernel/actor.js';
import { AppError } from '../../../kernel/errors.js';
import type { ChangeRequest } from '../change-request.entity.js';
import type { Situation } from '../situation.js';

const minuteMs = 60_000;

/**
 * Where the rules ask for it, whoever decides has just proved who they are. A token proves that somebody has the
 * token, so with one nobody is fresh.
 */
export const requireFreshSignIn = (
  { demands }: Pick<Situation, 'demands'>,
  actor: Actor,
  change: Pick<ChangeRequest, 'number'>,
  now: Date,
): void => {
  const minutes = demands.freshSignInMinutes;
  if (minutes === null || actor.kind !== 'user') return;
  const since = now.getTime() - actor.authenticatedAt.getTime();
  if (actor.tokenId === null && since <= minutes * minuteMs) return;
  const returnTo = encodeURIComponent(`/changes/${String(change.number)}`);
  throw new AppError(
    'PRECONDITION_FAILED',
    `Sign in again first: this decision asks that you proved who you are within ${String(minutes)} minutes`,
    {
      rule: 'fresh-sign-in',
      withinMinutes: minutes,
      authenticatedAt: actor.authenticatedAt.toISOString(),
      signIn: `/auth/login?fresh=1&returnTo=${returnTo}`,
    },
  );
};
