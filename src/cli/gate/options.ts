import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CliError } from '../fault.js';

/** What is asked: a folder, a name, or both, and where the documents come from. */
export interface GateOptions {
  readonly folder: string | null;
  readonly reference: Reference | null;
  readonly useCase: string | undefined;
  readonly environment: string | undefined;
  readonly alias: string | undefined;
  readonly at: Date | null;
  /** Refuses what one person let through in an emergency. */
  readonly noBreakGlass: boolean;
  readonly json: boolean;
  /** Only prints the digest of the folder. */
  readonly digest: boolean;
  readonly from: From;
}

/** A version by its number, or by an alias that names it. */
export interface Reference {
  readonly model: string;
  readonly version?: number;
  readonly alias?: string;
}

/** Where the documents are. Keys may be pinned when the rest is asked of a server. */
export type From =
  | {
      readonly kind: 'files';
      readonly attestation: string;
      readonly keys: string;
      readonly revocations: string;
    }
  | {
      readonly kind: 'server';
      readonly server: URL;
      readonly keys: string | null;
      readonly tokenFile: string | null;
    };

/** Thrown for a command line that asks nothing that can be answered. */
export const usage = (sentence: string): CliError => new CliError(`${sentence}\n\n${gateHelp}`, 2);

const gateHelp = `countersign gate [folder] [model@alias | model@7] [what is demanded] [where from]

  what is demanded   --use-case SLUG  --environment NAME  --alias NAME  --at TIME (default: now)
                     --no-break-glass refuses what one person moved in an emergency, without the approvals
  from files         --attestation FILE --keys FILE --revocations FILE
  from a server      --server URL, with a token in COUNTERSIGN_TOKEN or --token-file FILE; --keys FILE pins the keys
  output             sentences, or --json; --digest only prints the digest of the folder

It ends with 0 when the model may pass, 1 when it is refused, 2 when that could not be found out.`;

const flags = {
  'use-case': { type: 'string' },
  environment: { type: 'string' },
  alias: { type: 'string' },
  at: { type: 'string' },
  attestation: { type: 'string' },
  keys: { type: 'string' },
  revocations: { type: 'string' },
  server: { type: 'string' },
  'token-file': { type: 'string' },
  'no-break-glass': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  digest: { type: 'boolean', default: false },
} as const;

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({ args: [...args], options: flags, allowPositionals: true, strict: true });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
};

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const referenceOf = (text: string): Reference | null => {
  const [, model, name] = /^(.+)@([^@]+)$/s.exec(text) ?? [];
  if (model === undefined || name === undefined) return null;
  return /^\d{1,9}$/.test(name) ? { model, version: Number(name) } : { model, alias: name };
};

const positionalsOf = (given: readonly string[]): Pick<GateOptions, 'folder' | 'reference'> => {
  const folders = given.filter(isFolder);
  const names = given.filter((one) => !folders.includes(one));
  const references = names.map((name) => {
    const reference = referenceOf(name);
    if (!reference) throw usage(`${name} is neither a folder nor a name such as model@alias or model@7`);
    return reference;
  });
  if (folders.length > 1 || references.length > 1) throw usage('Name one folder and one model at most');
  if (folders.length + references.length === 0) throw usage('Name a folder, a model, or both');
  return { folder: folders[0] ?? null, reference: references[0] ?? null };
};

const timeOf = (text: string | undefined): Date | null => {
  if (text === undefined) return null;
  const time = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(time.getTime())) {
    throw usage(`--at ${text} is no time such as 2026-11-23T09:00:00Z`);
  }
  return time;
};

/** A token goes over the line, so the line must be a private one. */
const serverOf = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : null;
  const local = ['localhost', '127.0.0.1', '[::1]'];
  const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && local.includes(url.hostname));
  if (!url || !safe)
    throw usage(`--server ${text} must be an address with https, except on this machine itself`);
  return url;
};

type Values = ReturnType<typeof parse>['values'];

const fromOf = (values: Values): From => {
  const { attestation, keys, revocations, server } = values;
  if (server !== undefined) {
    if (attestation !== undefined || revocations !== undefined) {
      throw usage('Give either --server, or --attestation, --keys and --revocations');
    }
    const tokenFile = values['token-file'] ?? null;
    return { kind: 'server', server: serverOf(server), keys: keys ?? null, tokenFile };
  }
  if (attestation === undefined || keys === undefined || revocations === undefined) {
    throw usage('Say where the documents are: --server, or --attestation, --keys and --revocations');
  }
  return { kind: 'files', attestation, keys, revocations };
};

const nowhere: From = { kind: 'files', attestation: '', keys: '', revocations: '' };

/** Reads a command line; throws a sentence and what there is. */
export const gateOptions = (args: readonly string[]): GateOptions => {
  const { values, positionals } = parse(args);
  const named = positionalsOf(positionals);
  if (values.digest && named.folder === null) throw usage('--digest needs a folder');
  return {
    ...named,
    useCase: values['use-case'],
    environment: values.environment,
    alias: values.alias,
    at: timeOf(values.at),
    noBreakGlass: values['no-break-glass'],
    json: values.json,
    digest: values.digest,
    from: values.digest ? nowhere : fromOf(values),
  };
};
