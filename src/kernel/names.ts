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

/** A name that people read, as the input of a command; `kind` is what it names, as a refusal says it. */
export const nameOf = (kind: string) =>
  z
    .string()
    .max(1000)
    .transform((text) => text.normalize('NFC').trim())
    .refine((text) => !invisible.test(text), `of ${kind} must not contain control or invisible characters`)
    .refine((text) => text.length >= 1 && text.length <= 200, `of ${kind} must have 1 to 200 characters`)
    .refine((text) => foldName(text) !== '', `of ${kind} must contain something that can be read`);
