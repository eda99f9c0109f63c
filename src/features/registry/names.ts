import { z } from 'zod';

/**
 * Letters of other scripts, and dashes, that look like Latin ones, after folding to lower case. Two names that differ only in
 * these are one name to a reader, so they must be one name to the registry. (A part of Unicode's confusables.)
 */
const lookalikes = new Map(
  Object.entries({
    а: 'a',
    в: 'b',
    с: 'c',
    ԁ: 'd',
    е: 'e',
    ё: 'e',
    һ: 'h',
    н: 'h',
    і: 'i',
    ї: 'i',
    ј: 'j',
    к: 'k',
    м: 'm',
    о: 'o',
    р: 'p',
    ԛ: 'q',
    ѕ: 's',
    т: 't',
    ѵ: 'v',
    ԝ: 'w',
    х: 'x',
    у: 'y',
    ӏ: 'l',
    ү: 'y',
    α: 'a',
    β: 'b',
    ε: 'e',
    η: 'n',
    ι: 'i',
    κ: 'k',
    μ: 'm',
    ν: 'v',
    ο: 'o',
    ρ: 'p',
    σ: 'o',
    τ: 't',
    υ: 'u',
    χ: 'x',
    ω: 'w',
    ɑ: 'a',
    ɡ: 'g',
    ı: 'i',
    ɩ: 'i',
    ȷ: 'j',
    ʟ: 'l',
    ո: 'n',
    օ: 'o',
    ս: 'u',
    հ: 'h',
    ց: 'g',
    ա: 'w',
    '‐': '-',
    '‑': '-',
    '‒': '-',
    '–': '-',
    '—': '-',
    '−': '-',
    '⁃': '-',
    '﹣': '-',
    '․': '.',
  }),
);

const latin = (text: string): string => text.replace(/./gsu, (letter) => lookalikes.get(letter) ?? letter);

/** A name as it is compared: compatibility forms, case, spaces and look-alike letters make no difference. */
export const foldName = (name: string): string => {
  const plain = name.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  // Upper case first, so that letters with several lower-case forms (ß, ς, ſ) meet.
  const cased = plain.toUpperCase().toLowerCase().normalize('NFKC');
  return latin(cased).normalize('NFC').replace(/\s+/gu, ' ').trim();
};

const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

const nameOf = (kind: string) =>
  z
    .string()
    .max(1000)
    .transform((text) => text.normalize('NFC').trim())
    .refine((text) => !invisible.test(text), `of ${kind} must not contain control or invisible characters`)
    .refine((text) => text.length >= 1 && text.length <= 200, `of ${kind} must have 1 to 200 characters`)
    .refine((text) => foldName(text) !== '', `of ${kind} must contain something that can be read`);

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
