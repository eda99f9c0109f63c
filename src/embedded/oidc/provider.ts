import { Provider, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import type { Log } from '../fault.js';
import type { ProviderKeys } from './keys.js';
import { memoryAdapter } from './memory.js';
import { messagePage, pageHeaders, signOutPage } from './pages.js';

/** Somebody who can sign in. */
export interface Person {
  readonly sub: string;
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
}

/** The one application that may use the provider. */
export interface RelyingParty {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
}

interface ProviderParts {
  readonly issuer: string;
  readonly port: number;
  readonly keys: ProviderKeys;
  readonly client: RelyingParty;
  readonly people: readonly Person[];
  readonly log: Log;
}

const SCOPES = ['openid', 'profile', 'email', 'groups'];
const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** The origins a browser may be sent back to. */
export function returnOrigins({ redirectUris, postLogoutRedirectUris }: RelyingParty): readonly string[] {
  return [...new Set([...redirectUris, ...postLogoutRedirectUris].map((uri) => new URL(uri).origin))];
}

/** Sets up the OpenID Provider: code flow with PKCE for one application, people from a list, no refresh tokens. */
export function makeProvider(parts: ProviderParts): Provider {
  const provider: Provider = new Provider(parts.issuer, {
    ...configuration(parts),
    // The person has no say in it: the application and this provider come from the same hands.
    async loadExistingGrant(ctx) {
      const { session, client } = ctx.oidc;
      if (!session?.accountId || !client) return undefined;
      const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
      grant.addOIDCScope(SCOPES.join(' '));
      await grant.save();
      return grant;
    },
  });
  provider.on('server_error', (_, error) => {
    parts.log('The development sign-in failed', { error });
  });
  return provider;
}

function configuration({ port, keys, client, people, issuer }: ProviderParts): Configuration {
  const show = showPage(pageHeaders(returnOrigins(client)));
  return {
    adapter: memoryAdapter(),
    jwks: { keys: [keys.signing] },
    scopes: SCOPES,
    claims: {
      openid: ['sub'],
      // Most applications ask for `profile`; groups come with it, and alone.
      profile: ['name', 'groups'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
      auth_time: null,
    },
    // The claims of the scopes stand in the ID token too: the application wants them at sign-in, in one step.
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    subjectTypes: ['public'],
    pkce: { required: () => true },
    clients: [clientMetadata(client)],
    findAccount: (_, sub) => findAccount(people, sub),
    interactions: { url: (_, interaction) => `${issuer}/interaction/${interaction.uid}` },
    cookies: cookies(port, keys.cookies),
    ttl: {
      AuthorizationCode: MINUTE,
      AccessToken: HOUR,
      IdToken: HOUR,
      Interaction: HOUR,
      Session: 8 * HOUR,
      Grant: 8 * HOUR,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          show(ctx, signOutPage(form));
        },
        postLogoutSuccessSource: (ctx) => {
          show(ctx, messagePage('Signed out', ['You are signed out.']));
        },
      },
    },
    clientBasedCORS: () => false,
    renderError: (ctx, out) => {
      const sentences = [out.error_description ?? out.error, 'Go back to Countersign and try again.'];
      show(ctx, messagePage('The sign-in did not work', sentences));
    },
  };
}

function clientMetadata({ clientId, clientSecret, redirectUris, postLogoutRedirectUris }: RelyingParty) {
  return {
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: [...redirectUris],
    post_logout_redirect_uris: [...postLogoutRedirectUris],
    grant_types: ['authorization_code'],
    response_types: ['code' as const],
    token_endpoint_auth_method: 'client_secret_post' as const,
    // auth_time always: the application decides from it whether somebody signed in freshly enough.
    require_auth_time: true,
  };
}

// Cookies do not know ports: without the port in the name, two providers on one machine would share theirs.
function cookies(port: number, keys: readonly string[]): NonNullable<Configuration['cookies']> {
  const named = (name: string): string => `countersign_dev_op_${String(port)}_${name}`;
  return {
    names: { session: named('session'), interaction: named('interaction'), resume: named('resume') },
    keys: [...keys],
  };
}

function findAccount(people: readonly Person[], sub: string) {
  const person = people.find((candidate) => candidate.sub === sub);
  if (!person) return undefined;
  const { name, email, groups } = person;
  return { accountId: sub, claims: () => ({ sub, name, email, email_verified: true, groups: [...groups] }) };
}

function showPage(headers: Readonly<Record<string, string>>) {
  return (ctx: KoaContextWithOIDC, body: string): void => {
    ctx.set({ ...headers });
    ctx.body = body;
  };
}
