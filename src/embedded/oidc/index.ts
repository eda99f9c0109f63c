import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { join, resolve } from 'node:path';
import { fault, systemCode, type Log } from '../fault.js';
import { makeFolder, ownerOf, writePrivately } from '../files.js';
import { choosePort } from '../port.js';
import { answerInteraction } from './interaction.js';
import { loadKeys } from './keys.js';
import { messagePage, pageHeaders } from './pages.js';
import { makeProvider, returnOrigins, type Person, type RelyingParty } from './provider.js';

export type { Person } from './provider.js';

/** How to start the development sign-in. */
export interface OidcOptions extends RelyingParty {
  /** The home of this installation; keys go to `<home>/oidc`. */
  readonly home: string;
  /** What the program runs as; in `production` the development sign-in refuses to start. */
  readonly mode: string;
  /** A fixed port; without it, the one this home had before or another free one. */
  readonly port?: number;
  readonly people: readonly Person[];
  readonly log: Log;
}

/** A running development sign-in. */
export interface OidcProvider {
  readonly issuer: string;
  readonly port: number;
  readonly stop: () => Promise<void>;
}

const FIRST_PORT = 14_400;
const OTHER_PORTS = 5;

/**
 * Starts an OpenID Provider for development on 127.0.0.1, where people sign in by choosing who they are. It is the
 * real protocol (authorization code, PKCE, signed ID tokens), so that the application needs no second way to sign
 * in; what it lacks is a proof of who somebody is, hence it never runs in production.
 */
export async function startOidcProvider(options: OidcOptions): Promise<OidcProvider> {
  refuseMisuse(options);
  const home = resolve(options.home);
  const folder = join(home, 'oidc');
  await makeFolder(home, 0o711);
  const owner = await ownerOf(home);
  await makeFolder(folder, 0o700, owner);
  const keys = await loadKeys(folder, owner);

  const server = createServer();
  const port = await listen(server, folder, options.port);
  const stop = closer(server);
  try {
    await writePrivately(join(folder, 'port'), `${String(port)}\n`, owner);
    const issuer = `http://127.0.0.1:${String(port)}`;
    const provider = makeProvider({
      issuer,
      port,
      keys,
      client: options,
      people: options.people,
      log: options.log,
    });
    if (provider.env === 'production') throw productionFault();
    server.on('request', answer(options, issuer, provider));
    return { issuer, port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function refuseMisuse({ mode, people, redirectUris }: OidcOptions): void {
  if (mode === 'production') throw productionFault();
  if (people.length === 0) throw fault('The development sign-in knows nobody. Give it at least one person.');
  if (redirectUris.length === 0)
    throw fault('The development sign-in needs the address to send people back to.');
}

function productionFault(): Error {
  return fault(
    'The development sign-in lets anybody in as anybody, so it does not start in production. ' +
      'Set OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET to those of your identity provider.',
  );
}

function answer(
  options: OidcOptions,
  issuer: string,
  provider: ReturnType<typeof makeProvider>,
): RequestListener {
  const { people, log } = options;
  const headers = pageHeaders(returnOrigins(options));
  const protocol = provider.callback();
  const { host } = new URL(issuer);
  return (req: IncomingMessage, res: ServerResponse) => {
    if (req.headers.host !== host) {
      // Else a page elsewhere could point its own name at 127.0.0.1 and sign in here as anybody.
      res
        .writeHead(421, headers)
        .end(messagePage('Another address', [`This sign-in answers at ${issuer} only.`]));
      return;
    }
    if (req.url?.startsWith('/interaction/'))
      void answerInteraction({ provider, people, headers, log }, req, res);
    else void protocol(req, res);
  };
}

async function listen(server: Server, folder: string, fixed: number | undefined): Promise<number> {
  const taken: number[] = [];
  for (;;) {
    const port = fixed ?? (await choosePort(folder, FIRST_PORT, taken));
    try {
      server.listen({ port, host: '127.0.0.1', exclusive: true });
      await once(server, 'listening');
      const address = server.address();
      return typeof address === 'object' && address ? address.port : port;
    } catch (error) {
      if (systemCode(error) !== 'EADDRINUSE') throw error;
      if (fixed !== undefined || taken.push(port) > OTHER_PORTS) throw portTaken(port, error);
    }
  }
}

function portTaken(port: number, cause: unknown): Error {
  return fault(
    `The development sign-in cannot have port ${String(port)} of 127.0.0.1: another program uses it.`,
    cause,
  );
}

function closer(server: Server): () => Promise<void> {
  return async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
}
