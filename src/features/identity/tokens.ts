import { createHash, randomBytes, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const bodyLength = 30;
const checksumLength = 6;
const shownLength = 'csn_sa_'.length + 4;

/** Whose token it is: a service account's or a person's. */
export type TokenKind = 'sa' | 'pt';

/** A new API token; `secret` is shown once and kept nowhere. */
export interface NewToken {
  readonly secret: string;
  /** The beginning, by which people tell tokens apart. */
  readonly prefix: string;
  readonly hash: Buffer;
}

/** SHA-256 of a secret. The secrets are random and long, so a plain hash cannot be guessed back. */
export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** 256 random bits for a cookie. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

const base62 = (value: number): string => {
  let rest = value;
  let text = '';
  for (let place = 0; place < checksumLength; place += 1) {
    text = `${alphabet.charAt(rest % alphabet.length)}${text}`;
    rest = Math.floor(rest / alphabet.length);
  }
  return text;
};

/** CRC-32 of what stands before it: it tells a mistyped token without a query, and scanners know leaked ones by it. */
const checksumOf = (text: string): string => base62(crc32(text));

/** Makes a token: `csn_sa_` or `csn_pt_`, 30 random base62 signs (178 bits), 6 signs of checksum. */
export const newToken = (kind: TokenKind): NewToken => {
  const body = Array.from({ length: bodyLength }, () => alphabet.charAt(randomInt(alphabet.length))).join('');
  const start = `csn_${kind}_${body}`;
  const secret = `${start}${checksumOf(start)}`;
  return { secret, prefix: secret.slice(0, shownLength), hash: hashOf(secret) };
};

const form = new RegExp(`^csn_(?:sa|pt)_[0-9A-Za-z]{${String(bodyLength + checksumLength)}}$`);

/** Whether a text is an API token by its form and checksum; says nothing about whether it was ever given out. */
export const hasTokenForm = (text: string): boolean =>
  form.test(text) && checksumOf(text.slice(0, -checksumLength)) === text.slice(-checksumLength);
