import { invalidInput } from '../../kernel/errors.js';

/*
 * The filters of searches: `name LIKE 'a%' AND tags.stage = 'x' AND metrics.auc > 0.8`. Read letter by letter, without
 * regular expressions over what was sent, so that no text takes longer than its length.
 */

/** How two things are compared. */
export type Operator =
  '=' | '!=' | '>' | '>=' | '<' | '<=' | 'LIKE' | 'ILIKE' | 'IN' | 'NOT IN' | 'IS NULL' | 'IS NOT NULL';

/** A literal, or several for IN. */
export type FilterValue = string | number | readonly (string | number)[] | null;

/** One comparison: `entity` is empty for plain attributes. */
export interface Comparison {
  readonly entity: string;
  readonly key: string;
  readonly operator: Operator;
  readonly value: FilterValue;
}

interface Token {
  readonly kind: 'word' | 'text' | 'quoted' | 'number' | 'sign' | 'end';
  readonly text: string;
  readonly at: number;
}

const maxLength = 20_000;
const maxComparisons = 100;
const maxListed = 2000;

const fault = (message: string, filter: string, at: number): Error =>
  invalidInput(`Invalid filter string: ${message} near '${filter.slice(at, at + 30)}'`, [
    { path: 'filter', message },
  ]);

const isSpace = (letter: string): boolean =>
  letter === ' ' || letter === '\n' || letter === '\t' || letter === '\r';
const isDigit = (letter: string): boolean => letter >= '0' && letter <= '9';
const isWord = (letter: string): boolean =>
  (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter === '_' || isDigit(letter);

/** Signs that are tokens of their own; the longer ones come first. */
const signs = ['>=', '<=', '!=', '<>', '==', '=', '>', '<', '(', ')', ',', '.'];

const quoted = (filter: string, from: number): Token => {
  const quote = filter[from] ?? '';
  let text = '';
  for (let at = from + 1; at < filter.length; at += 1) {
    const letter = filter[at] ?? '';
    if (letter !== quote) {
      text += letter;
      continue;
    }
    // A quote within a text is written twice.
    if (filter[at + 1] !== quote) return { kind: quote === "'" ? 'text' : 'quoted', text, at };
    text += quote;
    at += 1;
  }
  throw fault('a quote is not closed', filter, from);
};

const runOf = (filter: string, from: number, belongs: (letter: string) => boolean): string => {
  let end = from;
  while (end < filter.length && belongs(filter[end] ?? '')) end += 1;
  return filter.slice(from, end);
};

const numberAt = (filter: string, from: number): Token | null => {
  const sign = filter[from] === '-' || filter[from] === '+' ? 1 : 0;
  const first = filter[from + sign] ?? '';
  if (!isDigit(first) && !(first === '.' && isDigit(filter[from + sign + 1] ?? ''))) return null;
  let previous = '';
  const text = runOf(filter, from + sign, (letter) => {
    const inside =
      isWord(letter) ||
      letter === '.' ||
      ((letter === '-' || letter === '+') && (previous === 'e' || previous === 'E'));
    previous = letter;
    return inside;
  });
  const whole = filter.slice(from, from + sign) + text;
  if (Number.isNaN(Number(whole))) return null;
  return { kind: 'number', text: whole, at: from };
};

const tokenAt = (filter: string, at: number): { token: Token; end: number } => {
  const letter = filter[at] ?? '';
  if (letter === "'" || letter === '"' || letter === '`') {
    const token = quoted(filter, at);
    return { token: { ...token, at }, end: token.at + 1 };
  }
  const number = numberAt(filter, at);
  if (number) return { token: number, end: at + number.text.length };
  const sign = signs.find((one) => filter.startsWith(one, at));
  if (sign !== undefined) return { token: { kind: 'sign', text: sign, at }, end: at + sign.length };
  const word = runOf(filter, at, (one) => isWord(one) || one === '-' || one === '/' || one > '\u007f');
  if (word === '') throw fault(`the sign ${letter} has no meaning`, filter, at);
  return { token: { kind: 'word', text: word, at }, end: at + word.length };
};

const tokensOf = (filter: string): Token[] => {
  const tokens: Token[] = [];
  for (let at = 0; at < filter.length;) {
    if (isSpace(filter[at] ?? '')) {
      at += 1;
      continue;
    }
    const { token, end } = tokenAt(filter, at);
    tokens.push(token);
    at = end;
  }
  tokens.push({ kind: 'end', text: '', at: filter.length });
  return tokens;
};

class Reader {
  private next = 0;

  constructor(
    private readonly filter: string,
    private readonly tokens: readonly Token[],
  ) {}

  peek(): Token {
    return this.tokens[this.next] ?? { kind: 'end', text: '', at: this.filter.length };
  }

  take(): Token {
    const token = this.peek();
    this.next += 1;
    return token;
  }

  fault(message: string): Error {
    return fault(message, this.filter, this.peek().at);
  }

  /** Takes the word when it comes next, in whatever case. */
  word(word: string): boolean {
    const { kind, text } = this.peek();
    if (kind !== 'word' || text.toUpperCase() !== word) return false;
    this.next += 1;
    return true;
  }

  sign(sign: string): boolean {
    const { kind, text } = this.peek();
    if (kind !== 'sign' || text !== sign) return false;
    this.next += 1;
    return true;
  }
}

/** `key`, `entity.key`, `entity.\`any key\``; what follows the first point is the key, with its points. */
const identifier = (reader: Reader): { entity: string; key: string } => {
  const first = reader.take();
  if (first.kind !== 'word' && first.kind !== 'quoted') throw reader.fault('a name is expected');
  const parts: string[] = [];
  while (reader.sign('.')) {
    const part = reader.take();
    if (part.kind === 'sign' || part.kind === 'end' || part.kind === 'text')
      throw reader.fault('a key is expected');
    parts.push(part.text);
  }
  return parts.length === 0
    ? { entity: '', key: first.text }
    : { entity: first.text.toLowerCase(), key: parts.join('.') };
};

const literal = (reader: Reader): string | number => {
  const token = reader.take();
  if (token.kind === 'text') return token.text;
  if (token.kind === 'quoted') return token.text;
  if (token.kind === 'number') return Number(token.text);
  throw reader.fault('a quoted text or a number is expected');
};

const list = (reader: Reader): (string | number)[] => {
  if (!reader.sign('(')) throw reader.fault('IN is followed by a list in parentheses');
  const values: (string | number)[] = [];
  while (!reader.sign(')')) {
    if (values.length > 0 && !reader.sign(','))
      throw reader.fault('values of a list are separated by commas');
    values.push(literal(reader));
    if (values.length > maxListed) throw reader.fault(`a list has more than ${String(maxListed)} values`);
  }
  if (values.length === 0) throw reader.fault('a list has no values');
  return values;
};

const plain: Readonly<Record<string, Operator>> = {
  '=': '=',
  '==': '=',
  '!=': '!=',
  '<>': '!=',
  '>': '>',
  '>=': '>=',
  '<': '<',
  '<=': '<=',
};

interface Tested {
  readonly operator: Operator;
  readonly value: FilterValue;
}

const nullTest = (reader: Reader): Tested => {
  const operator = reader.word('NOT') ? 'IS NOT NULL' : 'IS NULL';
  if (!reader.word('NULL')) throw reader.fault('IS is followed by NULL or NOT NULL');
  return { operator, value: null };
};

const notIn = (reader: Reader): Tested => {
  if (!reader.word('IN')) throw reader.fault('NOT is followed by IN');
  return { operator: 'NOT IN', value: list(reader) };
};

const signTest = (reader: Reader): Tested => {
  const token = reader.take();
  const operator = token.kind === 'sign' ? plain[token.text] : undefined;
  if (operator === undefined) throw reader.fault('a comparison is expected');
  return { operator, value: literal(reader) };
};

const operatorAndValue = (reader: Reader): Tested => {
  if (reader.word('IS')) return nullTest(reader);
  if (reader.word('NOT')) return notIn(reader);
  if (reader.word('IN')) return { operator: 'IN', value: list(reader) };
  if (reader.word('LIKE')) return { operator: 'LIKE', value: literal(reader) };
  if (reader.word('ILIKE')) return { operator: 'ILIKE', value: literal(reader) };
  return signTest(reader);
};

/** Reads a filter; refuses what it does not understand, naming the place. */
export const parseFilter = (filter: string | null | undefined): Comparison[] => {
  if (!filter || filter.trim() === '') return [];
  if (filter.length > maxLength) {
    throw invalidInput(`Invalid filter string: it has more than ${String(maxLength)} characters`, [
      { path: 'filter', message: 'is too long' },
    ]);
  }
  const reader = new Reader(filter, tokensOf(filter));
  const comparisons: Comparison[] = [];
  do {
    comparisons.push({ ...identifier(reader), ...operatorAndValue(reader) });
    if (comparisons.length > maxComparisons) {
      throw reader.fault(`more than ${String(maxComparisons)} comparisons`);
    }
  } while (reader.word('AND'));
  if (reader.peek().kind !== 'end') throw reader.fault('only AND joins comparisons');
  return comparisons;
};

/** One term of `order_by`. */
export interface OrderTerm {
  readonly entity: string;
  readonly key: string;
  readonly descending: boolean;
}

const maxTerms = 10;

/** Reads `order_by`: a name, then ASC, DESC or nothing. */
export const parseOrder = (terms: readonly string[]): OrderTerm[] => {
  if (terms.length > maxTerms) throw invalidInput(`order_by has more than ${String(maxTerms)} terms`);
  return terms.map((term) => {
    if (term.length > 1000) throw invalidInput('A term of order_by is too long');
    const reader = new Reader(term, tokensOf(term));
    const name = identifier(reader);
    const descending = reader.word('DESC');
    if (!descending) reader.word('ASC');
    if (reader.peek().kind !== 'end') throw invalidInput(`Invalid order_by clause '${term.slice(0, 100)}'`);
    return { ...name, descending };
  });
};
