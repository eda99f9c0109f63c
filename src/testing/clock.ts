import type { Clock } from '../kernel/clock.js';

/** A clock that runs as the real one does and can be moved ahead. */
export interface MovableClock extends Clock {
  advance(milliseconds: number): void;
}

/** Starts a movable clock at the real time. */
export const movableClock = (): MovableClock => {
  let ahead = 0;
  return {
    now: () => new Date(Date.now() + ahead),
    advance: (milliseconds) => {
      ahead += milliseconds;
    },
  };
};
