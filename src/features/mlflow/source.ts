import { invalidInput } from '../../kernel/errors.js';
import { parseLoggedModelId, parseRunId } from '../tracking/index.js';

/** Where the files of a new version are to be taken from. */
export type Source =
  | { readonly kind: 'loggedModel'; readonly id: string; readonly folder: string }
  | { readonly kind: 'run'; readonly id: string; readonly folder: string }
  | { readonly kind: 'version'; readonly name: string; readonly version: number }
  | { readonly kind: 'versionId'; readonly id: string }
  /** Stands elsewhere: what it is cannot be checked here. */
  | { readonly kind: 'elsewhere' };

const refuse = (message: string): Error =>
  invalidInput(`Invalid model version source: ${message}`, [{ path: 'source', message }]);

const schemeOf = (source: string): string | null => {
  const colon = source.indexOf(':');
  const scheme = colon < 1 ? '' : source.slice(0, colon).toLowerCase();
  // One letter is a drive of Windows.
  return scheme.length > 1 && /^[a-z][a-z0-9+.-]*$/.test(scheme) ? scheme : null;
};

const hasTraversal = (source: string): boolean => {
  let seen = source;
  for (let layer = 0; layer < 5; layer += 1) {
    if (seen.split(/[/\\]/).some((part) => part === '..')) return true;
    const next = seen.replace(/%([0-9a-f]{2})/gi, (_, code: string) =>
      String.fromCharCode(parseInt(code, 16)),
    );
    if (next === seen) return false;
    seen = next;
  }
  return true;
};

const ofModels = (rest: string): Source => {
  const [name = '', version = '', ...more] = rest.split('/');
  const id = version === '' ? parseLoggedModelId(name) : null;
  if (id !== null) return { kind: 'loggedModel', id, folder: '' };
  if (name !== '' && /^\d{1,9}$/.test(version) && more.length === 0) {
    return { kind: 'version', name, version: Number(version) };
  }
  throw refuse('models:/ is followed by the id of a logged model, or by a name and a version');
};

/** Its own artifacts, by the address that this server gave out; the part before the path names a server, or nobody. */
const pathOfArtifacts = (rest: string): string[] => {
  const path = rest.startsWith('//') ? rest.slice(2).split('/').slice(1).join('/') : rest;
  return path.split('/').filter((part) => part !== '');
};

const modelIn = ([, second, third = '', fourth, ...folder]: readonly string[]): Source | null => {
  const id = second === 'models' && fourth === 'artifacts' ? parseLoggedModelId(third) : null;
  return id === null ? null : { kind: 'loggedModel', id, folder: folder.join('/') };
};

const runIn = ([, second = '', third, ...folder]: readonly string[]): Source | null => {
  const id = third === 'artifacts' ? parseRunId(second) : null;
  return id === null ? null : { kind: 'run', id, folder: folder.join('/') };
};

const ofArtifacts = (rest: string): Source => {
  const parts = pathOfArtifacts(rest);
  const [first, id = '', third] = parts;
  if (first === 'versions' && third === 'artifacts') return { kind: 'versionId', id };
  const source = modelIn(parts) ?? runIn(parts);
  if (source) return source;
  throw refuse('there are no artifacts of this server at this address');
};

const ofRuns = (rest: string): Source => {
  const [run = '', ...folder] = rest.replace(/^\/+/, '').split('/');
  const id = parseRunId(run);
  if (id === null) throw refuse('runs:/ is followed by the id of a run');
  return { kind: 'run', id, folder: folder.join('/') };
};

/** Reads a source; refuses paths of a machine and whatever leaves its place. */
export const parseSource = (source: string): Source => {
  if (hasTraversal(source)) throw refuse('it must not contain ..');
  const scheme = schemeOf(source);
  const rest = source.slice(source.indexOf(':') + 1);
  if (scheme === 'models') return ofModels(rest.replace(/^\/+/, ''));
  if (scheme === 'runs') return ofRuns(rest);
  if (scheme === 'mlflow-artifacts') return ofArtifacts(rest);
  if (scheme === 'file' || (scheme === null && /[/\\]/.test(source))) {
    throw refuse('a path of a machine cannot be read here; log the model to this server first');
  }
  return { kind: 'elsewhere' };
};
