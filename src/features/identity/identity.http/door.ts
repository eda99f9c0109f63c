import type { Actor } from '../../../kernel/actor.js';
import type { Clock } from '../../../kernel/clock.js';
import type { RunCommand } from '../../../kernel/command.js';
import type { Db } from '../../../kernel/db.js';
import type { Log } from '../../../kernel/log.js';
import type { Metrics } from '../../../kernel/metrics.js';
import type { Cookies } from '../../../http/cookies.js';
import type { Limits } from '../../../http/limits.js';
import type { IdentityProvider } from '../oidc.js';
import type { SessionTimes } from '../sessions.js';

/** A line of the start page: a part of the running system. */
export interface RunningPart {
  readonly name: string;
  readonly says: string;
}

/** A place that the start page leads to. */
export interface Link {
  readonly href: string;
  readonly label: string;
}

/** A report that the start page offers. */
export interface ShownReport {
  readonly title: string;
  readonly at: Date;
  readonly files: readonly Link[];
}

/** What sign-in and the start page stand on. */
export interface IdentityDoor {
  readonly db: Db;
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly mode: 'development' | 'production';
  /** The public address. */
  readonly url: string;
  /** Null: no provider is configured, and only tokens let anybody in. */
  readonly provider: IdentityProvider | null;
  /** Where forms may lead on to at sign-out. */
  readonly providerOrigin: string | null;
  readonly session: SessionTimes;
  readonly version: string;
  readonly running: readonly RunningPart[];
  readonly links: readonly Link[];
  /** The newest reports of the actor's workspace; null for whoever may not read them. */
  readonly reportsFor: (actor: Actor) => Promise<readonly ShownReport[] | null>;
  /** The folder of the documents. */
  readonly docsFolder: string;
}

/** The same, with what the server adds. */
export interface OpenIdentityDoor extends IdentityDoor {
  readonly cookies: Cookies;
  readonly limits: Limits;
}
