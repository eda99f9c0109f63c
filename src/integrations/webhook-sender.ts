import { lookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, errors, request } from 'undici';
import { addressFault, urlFault, type EgressRules } from '../kernel/egress.js';
import { AppError } from '../kernel/errors.js';
import type { WebhookAnswer, WebhookRequest, WebhookSender } from '../kernel/ports.js';

/** Finds the addresses of a name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** How requests leave. */
export interface WebhookSenderOptions extends EgressRules {
  /** The resolver of the system, unless a test has its own. */
  readonly resolve?: Resolve;
  /** All that a request may take, the answer included. */
  readonly timeoutMs?: number;
}

const connectMs = 5000;
const answerMs = 10_000;
const mostAnswerBytes = 16 * 1024;

const refused = (why: string): AppError =>
  new AppError('FORBIDDEN', `Refused: ${why}`, { rule: 'egress', why });

const resolveBySystem: Resolve = (host) =>
  new Promise((resolve, reject) => {
    lookup(host, { all: true, order: 'verbatim' }, (error, addresses) => {
      if (error) reject(error);
      else resolve(addresses);
    });
  });

/** Asked by the connection itself: what is judged is what is connected to. One bad address condemns the name. */
const guardedLookup =
  (resolve: Resolve, rules: EgressRules): LookupFunction =>
  (host, options, callback) => {
    resolve(host)
      .then((addresses) => {
        const [first] = addresses;
        if (!first) throw new Error('The name has no address');
        for (const { address } of addresses) {
          const fault = addressFault(address, host, rules);
          if (fault !== null) throw refused(fault);
        }
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      })
      .catch((error: unknown) => {
        callback(error instanceof Error ? error : new Error('The name could not be resolved'), '', 0);
      });
  };

/** A literal address is looked up by nobody, so it is judged before; and what came of it is judged once more. */
const guardedConnector = (options: WebhookSenderOptions): buildConnector.connector => {
  const connect = buildConnector({
    lookup: guardedLookup(options.resolve ?? resolveBySystem, options),
    timeout: connectMs,
  });
  return (target, callback) => {
    const fault =
      isIP(target.hostname) === 0 ? null : addressFault(target.hostname, target.hostname, options);
    if (fault !== null) {
      callback(refused(fault), null);
      return;
    }
    connect(target, (error, socket) => {
      if (error) {
        callback(error, null);
        return;
      }
      const reached = addressFault(socket.remoteAddress ?? '', target.hostname, options);
      if (reached === null) {
        callback(null, socket);
        return;
      }
      socket.destroy();
      callback(refused(reached), null);
    });
  };
};

const mostWaitSeconds = 86_400;

const retryAfterOf = (header: string | string[] | undefined): number | null => {
  const seconds = typeof header === 'string' && /^\d{1,9}$/.test(header) ? Number(header) : null;
  return seconds === null ? null : Math.min(seconds, mostWaitSeconds);
};

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

const isLate = (error: unknown): boolean =>
  error instanceof errors.ConnectTimeoutError ||
  error instanceof errors.HeadersTimeoutError ||
  (error instanceof Error && error.name === 'TimeoutError');

const wordsFor = (error: unknown): string => {
  const code = codeOf(error);
  if (isLate(error)) return 'The receiver did not answer in time';
  if (/CERT|SSL|TLS|SELF_SIGNED|VERIFY/.test(code)) return 'The certificate of the receiver is not valid';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'The host of the receiver is not known';
  return 'The receiver could not be reached';
};

/** What may be said of a request without an answer: our own refusals, else the kind of trouble and nothing of the network. */
const troubleOf = (error: unknown): AppError => {
  const cause = error instanceof Error && error.cause instanceof AppError ? error.cause : error;
  return cause instanceof AppError ? cause : new AppError('INTERNAL', wordsFor(error));
};

const post = async (
  dispatcher: Agent,
  { url, headers, body, signal }: WebhookRequest,
  timeoutMs: number,
): Promise<WebhookAnswer> => {
  // undici follows no redirect unless an interceptor does: where they lead was judged by nobody.
  const answer = await request(url, {
    method: 'POST',
    dispatcher,
    headers,
    body,
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  const retryAfterSeconds = retryAfterOf(answer.headers['retry-after']);
  // What else comes is thrown away, and no more of it is read than fits.
  await answer.body.dump({ limit: mostAnswerBytes }).catch(() => undefined);
  return { status: answer.statusCode, retryAfterSeconds };
};

/** Opens the sender. Every request has a connection of its own, so every request is judged. */
export const openWebhookSender = (options: WebhookSenderOptions): WebhookSender => {
  const dispatcher = new Agent({ connect: guardedConnector(options), pipelining: 0 });
  return {
    send: async (asked) => {
      const fault = URL.canParse(asked.url)
        ? urlFault(new URL(asked.url), options)
        : 'the address cannot be read';
      if (fault !== null) throw refused(fault);
      try {
        return await post(dispatcher, asked, options.timeoutMs ?? 15_000);
      } catch (error) {
        // The worker ends: that is nobody's answer.
        if (asked.signal.aborted) throw error;
        throw troubleOf(error);
      }
    },
  };
};
