import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { mostEnvelopeBytes } from '../../features/attestations/proof/dsse.js';
import { mostKeysBytes } from '../../features/attestations/proof/keys.js';
import { CliError } from '../fault.js';
import type { From } from './options.js';

/** The bytes of what is held against the model; nothing in them is believed yet. */
export interface Documents {
  readonly keys: Buffer;
  readonly revocations: Buffer;
  /** Attestations that could be the right one, the newest first. */
  readonly attestations: readonly Buffer[];
}

/** For what a server is asked. */
export interface Wanted {
  readonly tree?: string | undefined;
  readonly model?: string | undefined;
  readonly version?: number | undefined;
  readonly alias?: string | undefined;
  readonly useCase?: string | undefined;
  readonly environment?: string | undefined;
}

const unreachable = (sentence: string): CliError => new CliError(sentence, 2);

const tooLarge = (what: string, most: number): CliError =>
  unreachable(`${what} is larger than ${String(most)} bytes and was not read`);

/** Reads a plain file up to a limit. */
const readFileUpTo = async (path: string, most: number): Promise<Buffer> => {
  // A pipe would be waited for, and says nothing of its size.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw unreachable(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw unreachable(`${path} is no plain file`);
    const { size } = stats;
    if (size > most) throw tooLarge(path, most);
    const buffer = Buffer.alloc(Math.min(size + 1, most + 1));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
};

const timeoutMs = 15_000;

const bodyUpTo = async (response: Response, what: string, most: number): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > most) throw tooLarge(what, most);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** Asks a server; redirects are not followed, because the token would go with them. */
const get = async (server: URL, path: string, token: string | null, most: number): Promise<Buffer | null> => {
  const address = new URL(path, server);
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(address, { headers, redirect: 'error', signal }).catch((error: unknown) => {
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw unreachable(`${address.origin} cannot be reached: ${cause}`);
  });
  if (response.status === 404 || response.status === 410) return null;
  if (!response.ok) throw unreachable(`${address.href} answered ${String(response.status)}`);
  return bodyUpTo(response, address.href, most);
};

const needed = (bytes: Buffer | null, what: string): Buffer => {
  if (bytes) return bytes;
  throw unreachable(`The server publishes no ${what}; is it a Countersign server?`);
};

const listAnswer = z.object({ attestations: z.array(z.object({ id: z.uuid() })) });

const readList = (bytes: Buffer): { id: string }[] => {
  try {
    return listAnswer.parse(JSON.parse(bytes.toString())).attestations;
  } catch {
    throw unreachable('The server answered a list that cannot be read');
  }
};

/** More are not looked at: the newest that fits is what counts. */
const mostTried = 10;

const queryOf = (wanted: Wanted): string => {
  const query = new URLSearchParams({ first: String(mostTried) });
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.toString();
};

const fromServer = async (
  { server, keys }: Extract<From, { kind: 'server' }>,
  token: string | null,
  wanted: Wanted,
): Promise<Documents> => {
  if (token === null) throw unreachable('A token is needed: set COUNTERSIGN_TOKEN or --token-file');
  const trusted =
    keys === null
      ? needed(await get(server, '/.well-known/countersign/keys.json', null, mostKeysBytes), 'keys')
      : await readFileUpTo(keys, mostKeysBytes);
  const list = await get(server, `/v1/attestations?${queryOf(wanted)}`, token, mostKeysBytes);
  const attestations: Buffer[] = [];
  for (const { id } of readList(needed(list, 'attestations'))) {
    const bytes = await get(server, `/v1/attestations/${id}`, token, mostEnvelopeBytes);
    if (bytes) attestations.push(bytes);
  }
  // Last, so that what was revoked meanwhile is on it.
  const revocations = needed(await get(server, '/v1/revocations', null, mostEnvelopeBytes), 'revocations');
  return { keys: trusted, revocations, attestations };
};

/** Fetches the documents; what cannot be reached or read is no refusal. */
export const fetchDocuments = async (
  from: From,
  token: string | null,
  wanted: Wanted,
): Promise<Documents> => {
  if (from.kind === 'server') {
    const given =
      from.tokenFile === null ? token : (await readFileUpTo(from.tokenFile, 4096)).toString().trim();
    return fromServer(from, given, wanted);
  }
  return {
    keys: await readFileUpTo(from.keys, mostKeysBytes),
    revocations: await readFileUpTo(from.revocations, mostEnvelopeBytes),
    attestations: [await readFileUpTo(from.attestation, mostEnvelopeBytes)],
  };
};
