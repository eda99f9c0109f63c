import type { Db } from '../../kernel/db.js';
import { AppError } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import { asSystem } from '../../kernel/system.js';
import type { SignInSecrets } from './oidc.js';
import { hashOf, newSecret } from './tokens.js';

/** A sign-in under way: it belongs to one browser, is answered once, and not late. */
export interface SignIn extends SignInSecrets {
  readonly returnTo: string;
  readonly fresh: boolean;
  readonly createdAt: Date;
}

const lifetimeMs = 600_000;

/** Begins a sign-in for the browser that holds this secret. */
export const beginSignIn = async (
  db: Db,
  request: {
    readonly browser: string;
    readonly returnTo: string;
    readonly fresh: boolean;
    readonly now: Date;
  },
): Promise<SignIn> => {
  const { browser, returnTo, fresh, now } = request;
  const [state, nonce, codeVerifier] = [newSecret(), newSecret(), newSecret()];
  const expiresAt = new Date(now.getTime() + lifetimeMs);
  await asSystem(db, async (tx) => {
    await tx.sql('delete from sign_in where expires_at < $1', [now]);
    await tx.sql(
      `insert into sign_in (id, state_hash, browser_hash, nonce, code_verifier, return_to, fresh, created_at, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [newId(), hashOf(state), hashOf(browser), nonce, codeVerifier, returnTo, fresh, now, expiresAt],
    );
  });
  return { state, nonce, codeVerifier, returnTo, fresh, createdAt: now };
};

interface SignInRow {
  readonly nonce: string;
  readonly code_verifier: string;
  readonly return_to: string;
  readonly fresh: boolean;
  readonly created_at: Date;
}

/** Takes a sign-in to its end: after this its answer cannot be used again. */
export const takeSignIn = async (
  db: Db,
  answer: { readonly browser: string | null; readonly state: string | null; readonly now: Date },
): Promise<SignIn> => {
  const { browser, state, now } = answer;
  const [row] =
    browser === null || state === null
      ? []
      : await asSystem(db, (tx) =>
          tx.sql<SignInRow>(
            `delete from sign_in where state_hash = $1 and browser_hash = $2 and expires_at > $3
             returning nonce, code_verifier, return_to, fresh, created_at`,
            [hashOf(state), hashOf(browser), now],
          ),
        );
  if (!row || state === null) {
    throw new AppError(
      'UNAUTHENTICATED',
      'This sign-in was begun in another browser, was finished already, or took longer than ten minutes; sign in again',
      { reason: 'unknown-sign-in' },
    );
  }
  return {
    state,
    nonce: row.nonce,
    codeVerifier: row.code_verifier,
    returnTo: row.return_to,
    fresh: row.fresh,
    createdAt: row.created_at,
  };
};

/** A place within this installation to go to after the sign-in; everything else becomes the start page. */
export const safeReturn = (asked: unknown, url: string): string => {
  if (typeof asked !== 'string' || asked.length > 2000 || !asked.startsWith('/')) return '/';
  const base = new URL(url);
  if (!URL.canParse(asked, base.href)) return '/';
  const target = new URL(asked, base);
  if (target.origin !== base.origin || target.pathname.startsWith('/auth/')) return '/';
  // Two slashes at the front would be read as another host.
  return `/${target.pathname.replace(/^\/+/, '')}${target.search}${target.hash}`;
};
