import { AppError } from '../../../../kernel/errors.js';
import type { Permission } from '../../../../kernel/permissions.js';

/** A path that may go on: its parts, decoded once, and the form in which it is sent, which says the same and no more. */
export interface PassedPath {
  readonly parts: readonly string[];
  readonly sent: string;
}

const refuse = (): AppError =>
  new AppError('INVALID_INPUT', 'Invalid path: it must not leave its place', {
    fields: [{ path: 'path', message: 'has parts that lead elsewhere' }],
  });

const layersOfCoding = 5;

const decoded = (text: string): string | null => {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
};

const leadsElsewhere = (text: string): boolean =>
  /[\p{C}\\]/u.test(text) || text.split('/').some((part) => part === '..' || part === '.');

/** Refuses a text that leaves its place, also when somebody decodes it once more on the way. */
export const requireStraight = (text: string): void => {
  let seen = text;
  for (let layer = 0; layer < layersOfCoding; layer += 1) {
    if (leadsElsewhere(seen)) throw refuse();
    const next = decoded(seen);
    if (next === seen || next === null) return;
    seen = next;
  }
  throw refuse();
};

const partOf = (raw: string): string => {
  const part = decoded(raw);
  // A slash in disguise would make two parts of one for whoever reads it next.
  if (part === null || part.includes('/')) throw refuse();
  requireStraight(part);
  return part;
};

/** Reads a path as it came, and writes it anew: what is judged is what is sent. */
export const passedPath = (raw: string): PassedPath => {
  const parts = raw
    .split('/')
    .filter((part) => part !== '')
    .map(partOf);
  const end = raw.endsWith('/') && parts.length > 0 ? '/' : '';
  return { parts, sent: `/${parts.map(encodeURIComponent).join('/')}${end}` };
};

/** What becomes of a request that we do not serve. */
export type Judgement =
  | { readonly kind: 'refused' }
  | {
      readonly kind: 'passed';
      readonly permission: Permission;
      /** A place of the artifact proxy that is written to, which must belong to no version. */
      readonly writes: string | null;
    };

const refused: Judgement = { kind: 'refused' };
const passed = (permission: Permission, writes: string | null = null): Judgement => ({
  kind: 'passed',
  permission,
  writes,
});

const reads = new Set(['GET', 'HEAD']);
const writes = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Verbs of the registry come by the addresses that are served here, or not at all. */
const registry = new Set(['registered-models', 'model-versions']);
/** Would write past the place that is looked at, or act as if somebody sat at that machine. */
const never = new Set(['assistant', 'upload-artifact', 'presigned-upload-url']);
/** The settings of that server. */
const settings = new Set(['webhooks', 'workspaces', 'gateway', 'demo']);
/** POST that reads. */
const asking = new Set([
  'search',
  'graphql',
  'get-latest-versions',
  'search-datasets',
  'presigned-download-url',
]);

const ofArtifacts = (parts: readonly string[], at: number): Judgement => {
  const [verb, ...rest] = parts.slice(at + 1);
  const place = verb === 'mpu' ? rest.slice(1) : rest;
  if ((verb !== 'artifacts' && verb !== 'mpu') || place.length === 0) return refused;
  return passed('run:record', place.join('/'));
};

const ofWrite = (method: string, parts: readonly string[], folded: readonly string[]): Judgement => {
  const last = folded.at(-1) ?? '';
  const asks = method === 'POST' && asking.has(last);
  if (folded.some((part) => registry.has(part))) return asks ? passed('model:read') : refused;
  const artifacts = folded.indexOf('mlflow-artifacts');
  if (artifacts >= 0) return ofArtifacts(parts, artifacts);
  if (asks) return passed('run:read');
  return passed(folded.some((part) => settings.has(part)) ? 'webhook:manage' : 'run:record');
};

/** Says what becomes of a request, by its method and its path. */
export const judge = (method: string, { parts }: PassedPath): Judgement => {
  const folded = parts.map((part) => part.toLowerCase());
  if (folded.some((part) => never.has(part))) return refused;
  if (reads.has(method)) return passed('run:read');
  return writes.has(method) ? ofWrite(method, parts, folded) : refused;
};
