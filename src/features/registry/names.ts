import { z } from 'zod';
import { foldName, nameOf } from '../../kernel/names.js';

export { foldName };

/** The name of a model. */
export const modelName = nameOf('a model');

/** The name of an alias. `latest` and `v7` are refused: they would read as versions. */
export const aliasName = nameOf('an alias').refine(
  (text) => !/^(latest|v\d+|\d+)$/.test(foldName(text)),
  'of an alias must not read as a version: latest, v1, 1',
);

/** Whether a name fits a pattern in which `*` stands for anything; both are folded. */
export const matchesPattern = (name: string, pattern: string): boolean => {
  const folded = foldName(name);
  const parts = pattern.split('*').map(foldName);
  const [first = '', ...others] = parts;
  const last = others.pop();
  if (last === undefined) return folded === first;
  if (!folded.startsWith(first)) return false;
  let position = first.length;
  for (const part of others) {
    const found = folded.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return folded.length - last.length >= position && folded.endsWith(last);
};

/** Why a path cannot be that of an artifact, or null when it can. */
export const pathFault = (path: string): string | null => {
  if (path.length < 1 || path.length > 300) return 'must have 1 to 300 characters';
  if (/[\p{C}\p{Zl}\p{Zp}\\]/u.test(path)) return 'must not contain control characters or backslashes';
  if (path !== path.normalize('NFC')) return 'must be in Unicode normal form C';
  if (path.startsWith('/') || /^[a-z]:/i.test(path)) return 'must be relative';
  const segments = path.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return 'must not contain empty segments, . or ..';
  }
  return null;
};

/** The path of an artifact within its version. */
export const artifactPath = z.string().superRefine((path, context) => {
  const fault = pathFault(path);
  if (fault !== null) context.addIssue({ code: 'custom', message: fault });
});
