import { AppError, notFound } from '../../../kernel/errors.js';
import { artifactPath } from '../../registry/index.js';
import { parseLoggedModelId, parseRunId } from '../../tracking/index.js';
import type { FilesOf } from '../mlflow.queries/files.js';

/** Whose files an address is about, and the path within; the path is empty for all of them. */
export interface Place {
  readonly of: FilesOf;
  readonly path: string;
  /** The number of the experiment in the address; null where there is none. */
  readonly experiment: number | null;
}

const refuse = (path: string): AppError =>
  new AppError('INVALID_INPUT', 'Invalid path: it must stay within its artifacts', {
    fields: [
      { path: 'path', message: `${JSON.stringify(path.slice(0, 100))} cannot be a path of an artifact` },
    ],
  });

const decoded = (text: string): string | null => {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
};

const layersOfCoding = 5;

/**
 * Refuses a path that leaves its place, also when somebody decodes it once more on the way: content is kept under
 * digests here, but clients make folders of these names.
 */
export const requireInside = (path: string): string => {
  let seen = path;
  for (let layer = 0; layer < layersOfCoding; layer += 1) {
    if (!artifactPath.safeParse(seen).success) throw refuse(path);
    const next = decoded(seen);
    // What is no code is meant as it stands.
    if (next === seen || next === null) return path;
    seen = next;
  }
  throw refuse(path);
};

/** A folder to list: none for the whole. */
export const folderOf = (path: string): string => {
  const plain = path.endsWith('/') ? path.slice(0, -1) : path;
  return plain === '' || plain === '.' ? '' : requireInside(plain);
};

const experimentOf = (text: string): number => {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw notFound('The place of these artifacts');
};

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

interface Owner {
  readonly of: FilesOf;
  readonly experiment: number | null;
  /** How many parts of the address it takes. */
  readonly used: number;
}

const versionAt = ([first, id = '', third]: readonly string[]): Owner | null =>
  first === 'versions' && uuid.test(id) && third === 'artifacts'
    ? { of: { kind: 'version', id }, experiment: null, used: 3 }
    : null;

const modelAt = ([first = '', second, third = '', fourth]: readonly string[]): Owner | null => {
  const id = second === 'models' && fourth === 'artifacts' ? parseLoggedModelId(third) : null;
  return id === null ? null : { of: { kind: 'loggedModel', id }, experiment: experimentOf(first), used: 4 };
};

const runAt = ([first = '', second = '', third]: readonly string[]): Owner | null => {
  const id = third === 'artifacts' ? parseRunId(second) : null;
  return id === null ? null : { of: { kind: 'run', id }, experiment: experimentOf(first), used: 3 };
};

const ownerOf = (parts: readonly string[]): Owner => {
  const owner = versionAt(parts) ?? modelAt(parts) ?? runAt(parts);
  if (owner) return owner;
  throw notFound('The place of these artifacts');
};

/**
 * Reads the path of an artifact address: `<experiment>/<run>/artifacts/…`, `<experiment>/models/<model>/artifacts/…`,
 * or `versions/<id>/artifacts/…`.
 */
export const placeOf = (path: string): Place => {
  const plain = path.endsWith('/') ? path.slice(0, -1) : path;
  requireInside(plain);
  const parts = plain.split('/');
  const { of, experiment, used } = ownerOf(parts);
  const inside = parts.slice(used).join('/');
  return { of, experiment, path: inside === '' ? '' : requireInside(inside) };
};

/** Where the files of a version are, as clients ask for them. */
export const versionUri = (id: string): string => `mlflow-artifacts:/versions/${id}/artifacts`;
