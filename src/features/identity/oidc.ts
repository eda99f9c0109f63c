import type * as openidClient from 'openid-client';
import type { Configuration, IDToken } from 'openid-client';
import { AppError } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';

/** How to reach the identity provider, and as whom. */
export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Scopes to ask for, separated by spaces. */
  readonly scopes: string;
  /** The claim that lists groups; a dot leads into an object (`realm_access.roles`). */
  readonly groupsClaim: string;
  /** Where the provider sends people back to after a sign-in and after a sign-out. */
  readonly callbackUrl: string;
  readonly afterSignOutUrl: string;
}

/** What one sign-in sends along, to know its answer by. */
export interface SignInSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** Whom the provider vouches for. */
export interface VouchedPerson {
  readonly issuer: string;
  readonly subject: string;
  readonly displayName: string;
  readonly email: string | null;
  readonly groups: readonly string[];
  /** When they proved who they are; null when the provider does not say. */
  readonly authenticatedAt: Date | null;
  readonly idToken: string;
}

/** The identity provider, as sign-in and sign-out use it. */
export interface IdentityProvider {
  /** Where to send the browser. `fresh`: the person proves who they are anew, even if the provider still knows them. */
  signInUrl(secrets: SignInSecrets, fresh: boolean): Promise<URL>;
  /** Checks the answer (state, issuer, PKCE, nonce, signature, audience) and reads who it is. */
  accept(answer: URL, secrets: SignInSecrets): Promise<VouchedPerson>;
  /** Where to end the session at the provider; null when it has no such place or does not answer. */
  signOutUrl(idTokenHint: string | null): Promise<URL | null>;
}

const answerWithinSeconds = 10;

/** Opens the way to the provider; it is asked for its metadata at the first sign-in, not at the start. */
export const openIdentityProvider = (settings: OidcSettings, log: Log): IdentityProvider => {
  let found: Promise<Configuration> | undefined;
  const configuration = (): Promise<Configuration> => {
    found ??= discover(settings).catch((error: unknown) => {
      found = undefined;
      log.warn({ err: error, issuer: settings.issuer }, 'The identity provider does not answer');
      throw new AppError('INTERNAL', 'The identity provider does not answer; try again in a moment', {
        reason: 'provider',
      });
    });
    return found;
  };
  return {
    signInUrl: async (secrets, fresh) => signInUrl(settings, await configuration(), secrets, fresh),
    accept: async (answer, secrets) => accept(settings, await configuration(), { answer, secrets, log }),
    signOutUrl: async (hint) => {
      const known = await configuration().catch(() => null);
      return known === null ? null : signOutUrl(settings, known, hint);
    },
  };
};

const library = (): Promise<typeof openidClient> => import('openid-client');

const discover = async (settings: OidcSettings): Promise<Configuration> => {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- struck through by the library as a warning; the configuration lets plain http through on this machine only
  const { allowInsecureRequests, discovery } = await library();
  const issuer = new URL(settings.issuer);
  return discovery(issuer, settings.clientId, settings.clientSecret, undefined, {
    timeout: answerWithinSeconds,
    execute: issuer.protocol === 'http:' ? [allowInsecureRequests] : [],
  });
};

const signInUrl = async (
  settings: OidcSettings,
  configuration: Configuration,
  secrets: SignInSecrets,
  fresh: boolean,
): Promise<URL> => {
  const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await library();
  return buildAuthorizationUrl(configuration, {
    redirect_uri: settings.callbackUrl,
    scope: settings.scopes,
    state: secrets.state,
    nonce: secrets.nonce,
    code_challenge: await calculatePKCECodeChallenge(secrets.codeVerifier),
    code_challenge_method: 'S256',
    ...(fresh ? { max_age: '0', prompt: 'login' } : {}),
  });
};

interface Answer {
  readonly answer: URL;
  readonly secrets: SignInSecrets;
  readonly log: Log;
}

const accept = async (
  settings: OidcSettings,
  configuration: Configuration,
  { answer, secrets, log }: Answer,
): Promise<VouchedPerson> => {
  const { authorizationCodeGrant } = await library();
  try {
    const tokens = await authorizationCodeGrant(configuration, answer, {
      expectedState: secrets.state,
      expectedNonce: secrets.nonce,
      pkceCodeVerifier: secrets.codeVerifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims || tokens.id_token === undefined) throw new Error('The provider gave no ID token');
    const more = await missingClaims(settings, configuration, claims, tokens.access_token);
    return personOf(settings, { ...more, ...claims }, claims, tokens.id_token);
  } catch (error) {
    throw await refusalOf(error, log);
  }
};

/** Some providers put groups and names into userinfo only. */
const missingClaims = async (
  settings: OidcSettings,
  configuration: Configuration,
  claims: IDToken,
  accessToken: string,
): Promise<Readonly<Record<string, unknown>>> => {
  const complete = claimAt(claims, settings.groupsClaim) !== undefined && claims['name'] !== undefined;
  if (complete || configuration.serverMetadata().userinfo_endpoint === undefined) return {};
  const { fetchUserInfo } = await library();
  return fetchUserInfo(configuration, accessToken, claims.sub);
};

/** A claim by its name, or by a path of names with dots. */
export const claimAt = (claims: Readonly<Record<string, unknown>>, path: string): unknown => {
  if (Object.hasOwn(claims, path)) return claims[path];
  return path.split('.').reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.entries(value).find(([name]) => name === key)?.[1];
  }, claims);
};

const text = (value: unknown, longest: number): string | null => {
  if (typeof value !== 'string') return null;
  const trimmed = value.trim().slice(0, longest);
  return trimmed === '' ? null : trimmed;
};

const groupsIn = (value: unknown): string[] => {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((group) => typeof group === 'string' && group !== '').map(String);
};

const personOf = (
  settings: OidcSettings,
  all: Readonly<Record<string, unknown>>,
  claims: IDToken,
  idToken: string,
): VouchedPerson => {
  const email = text(all['email'], 320);
  const names = [text(all['name'], 200), text(all['preferred_username'], 200), email, claims.sub];
  const time = claims.auth_time;
  return {
    issuer: claims.iss,
    subject: claims.sub,
    displayName: names.find((name) => name !== null) ?? claims.sub,
    email,
    groups: groupsIn(claimAt(all, settings.groupsClaim)),
    authenticatedAt: typeof time === 'number' ? new Date(time * 1000) : null,
    idToken,
  };
};

const refusal = (reason: string, message: string): AppError =>
  new AppError('UNAUTHENTICATED', message, { reason });

/** What the library found wrong stands in the log; the person reads what to do. */
const refusalOf = async (error: unknown, log: Log): Promise<unknown> => {
  const { AuthorizationResponseError, ClientError, ResponseBodyError } = await library();
  if (error instanceof AuthorizationResponseError) {
    const cancelled = error.error === 'access_denied';
    const message = cancelled ? 'The sign-in was cancelled' : `The identity provider refused: ${error.error}`;
    return refusal('provider-refused', message);
  }
  if (error instanceof ClientError || error instanceof ResponseBodyError || error instanceof TypeError) {
    log.warn({ err: error }, 'The answer of the identity provider was refused');
    return refusal(
      'answer-refused',
      'The answer of the identity provider did not pass the checks; sign in again',
    );
  }
  return error;
};

const signOutUrl = async (
  settings: OidcSettings,
  configuration: Configuration,
  hint: string | null,
): Promise<URL | null> => {
  if (configuration.serverMetadata().end_session_endpoint === undefined) return null;
  const { buildEndSessionUrl } = await library();
  return buildEndSessionUrl(configuration, {
    post_logout_redirect_uri: settings.afterSignOutUrl,
    ...(hint === null ? {} : { id_token_hint: hint }),
  });
};

/** Whether the person proved who they are after this sign-in began, as far as two clocks can agree. */
export const isFresh = (person: VouchedPerson, began: Date): boolean => {
  const clocksMayDifferBy = 10_000;
  return (
    person.authenticatedAt !== null && person.authenticatedAt.getTime() >= began.getTime() - clocksMayDifferBy
  );
};
