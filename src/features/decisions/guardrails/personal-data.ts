/** A kind of personal data that was recognised; what was found is not repeated anywhere. */
export type PersonalDataKind = 'email' | 'phone' | 'iban' | 'card' | 'national-id' | 'address';

interface Recogniser {
  readonly kind: PersonalDataKind;
  readonly pattern: RegExp;
  /** A checksum that tells real numbers from others. */
  readonly confirms: (found: string) => boolean;
}

const digitsOf = (text: string): number[] => Array.from(text.replaceAll(/\D/g, ''), Number);

// Cards begin with 2 (Mastercard's second range) to 6; times in milliseconds and most counters begin with 1.
const cardIssuers = /^(?:2[2-7]|[3-6])/;

/** The check digit of payment cards (ISO/IEC 7812-1, Luhn). */
const isCard = (text: string): boolean => {
  const digits = digitsOf(text).reverse();
  if (!cardIssuers.test(text) || digits.length < 13 || digits.length > 19) return false;
  const sum = digits.reduce((total, digit, index) => {
    if (index % 2 === 0) return total + digit;
    return total + (digit > 4 ? digit * 2 - 9 : digit * 2);
  }, 0);
  return sum % 10 === 0;
};

/** The check digits of bank accounts (ISO 13616, remainder 97). */
const isIban = (text: string): boolean => {
  const compact = text.replaceAll(/\s/g, '').toUpperCase();
  if (compact.length < 15 || compact.length > 34) return false;
  const moved = compact.slice(4) + compact.slice(0, 4);
  const digits = moved.replaceAll(/[A-Z]/g, (sign) => String(sign.charCodeAt(0) - 55));
  let remainder = 0;
  for (const digit of digits) remainder = (remainder * 10 + Number(digit)) % 97;
  return remainder === 1;
};

const always = (): boolean => true;

const recognisers: readonly Recogniser[] = [
  { kind: 'email', pattern: /[\w.+-]+@[\w-]+\.[\w.-]{2,}/g, confirms: always },
  { kind: 'iban', pattern: /\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{2,4}){3,8}\b/gi, confirms: isIban },
  {
    kind: 'card',
    // In one run, or in the groups that are printed on cards: 4-4-4-4, 4-4-4-4-3, 4-6-5, 4-6-4.
    pattern: /\b(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ -])\d{6}\2\d{4,5})\b/g,
    confirms: isCard,
  },
  { kind: 'national-id', pattern: /\b\d{3}-\d{2}-\d{4}\b/g, confirms: always },
  {
    kind: 'phone',
    pattern: /(?:\+|(?<![\dA-Z]\s?)\b00)\d[\d\s().-]{6,18}\d|\(\d{3}\)\s?\d{3}-\d{4}|\b\d{3}-\d{3}-\d{4}\b/g,
    confirms: (text) => digitsOf(text).length >= 8,
  },
  {
    kind: 'address',
    pattern: /\b\d{1,5}\s+(?:[A-Z][\w'-]*\s+){1,4}(?:street|st|avenue|ave|road|rd|lane|drive|boulevard)\b/gi,
    confirms: always,
  },
];

const uuids = /\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi;

/** One word with letters in it, as machines make them: its digits are no phone number. */
const isOpaque = (text: string): boolean => /^[\w:.-]+$/.test(text) && /[a-z]/i.test(text);

/** Whether a reference that a caller chose says who the person is. A UUID says nothing, whatever digits it has. */
export const namesPerson = (reference: string): boolean => {
  const rest = reference.replaceAll(uuids, ' ').trim();
  return personalDataIn(rest).some((kind) => kind !== 'phone' || !isOpaque(rest));
};

/** The kinds of personal data in a text. Patterns with checksums: what has no form (a name) is not recognised. */
export const personalDataIn = (text: string): PersonalDataKind[] =>
  recognisers
    .filter(({ pattern, confirms }) => [...text.matchAll(pattern)].some(([found]) => confirms(found)))
    .map(({ kind }) => kind);
