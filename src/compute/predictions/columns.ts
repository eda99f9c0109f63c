import { intersectGroups, type GroupCodes } from '../../analysis/index.js';
import { asNumber, codesOf, numbersOf } from '../drift/columns.js';
import type { DataTable } from '../table/engine.js';
import { literal, quoted } from '../table/names.js';
import type { PredictionsRequest } from './request.js';

/** A table that cannot be measured: the rule it breaks, and why in a sentence without a value of it. */
export class UnfitTable extends Error {
  override readonly name = 'UnfitTable';

  constructor(
    readonly rule: string,
    sentence: string,
  ) {
    super(sentence);
  }
}

/** All rows of a table, by column; -1 where a prediction, an outcome or a match is not known. */
export interface PredictionColumns {
  readonly rows: number;
  readonly scores: Float64Array | null;
  readonly predictions: Int8Array | null;
  readonly outcomes: Int8Array | null;
  /** 1 where prediction and outcome are the same name. */
  readonly matches: Int8Array | null;
  readonly groups: readonly GroupCodes[];
}

const mostRows = 5_000_000;
const mostGroups = 200;

/** 1 where the cell says what counts as positive (as text, or as a number), 0 for anything else, -1 for nothing. */
const asFlag = (column: string, positive: string): string => {
  const cell = `trim(${quoted(column)}::varchar)`;
  const same = `${cell} = ${literal(positive)}`;
  const number = Number(positive);
  const isNumber = positive.trim() !== '' && Number.isFinite(number);
  const equal = isNumber ? `${same} or try_cast(${cell} as double) = ${String(number)}` : same;
  return `case when ${cell} is null or ${cell} = '' then -1 when ${equal} then 1 else 0 end::integer`;
};

const asMatch = (one: string, other: string): string =>
  `case when ${quoted(one)} is null or ${quoted(other)} is null then -1
        when trim(${quoted(one)}::varchar) = trim(${quoted(other)}::varchar) then 1 else 0 end::integer`;

/** Pieces of a column, and the whole of it in the end. */
const gathered = <List extends Float64Array | Int8Array | Int32Array>(make: (length: number) => List) => {
  const parts: List[] = [];
  return {
    add: (part: List): void => {
      parts.push(part);
    },
    whole: (): List => {
      const all = make(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      parts.length = 0;
      return all;
    },
  };
};

type Chunk = Parameters<typeof numbersOf>[0];

/** A column as it is asked for, and what is kept of it. */
interface Reader {
  readonly sql: string;
  readonly add: (chunk: Chunk, column: number) => void;
}

const flagReader = (sql: string) => {
  const list = gathered((length) => new Int8Array(length));
  const reader: Reader = {
    sql,
    add: (chunk, column) => {
      list.add(Int8Array.from(codesOf(chunk, column)));
    },
  };
  return { reader, whole: list.whole };
};

const scoreReader = (column: string) => {
  const list = gathered((length) => new Float64Array(length));
  const reader: Reader = {
    sql: asNumber(column),
    add: (chunk, at) => {
      list.add(numbersOf(chunk, at).slice());
    },
  };
  return { reader, whole: list.whole };
};

const groupReader = (attribute: string, unknown: ReadonlySet<string>) => {
  const list = gathered((length) => new Int32Array(length));
  const places = new Map<string, number>();
  const codeOf = (cell: unknown): number => {
    const name = typeof cell === 'string' ? cell.trim().slice(0, 200) : '';
    if (name === '' || unknown.has(name)) return -1;
    const known = places.get(name);
    if (known !== undefined) return known;
    if (places.size >= mostGroups)
      throw new UnfitTable('groups', `${attribute} has more than ${String(mostGroups)} groups`);
    places.set(name, places.size);
    return places.size - 1;
  };
  const reader: Reader = {
    sql: `${quoted(attribute)}::varchar`,
    add: (chunk, at) => {
      list.add(Int32Array.from(chunk.getColumnValues(at), codeOf));
    },
  };
  const whole = (): GroupCodes => ({ attribute, groups: [...places.keys()], codes: list.whole() });
  return { reader, whole };
};

const optional = <Made>(column: string | null, make: (column: string) => Made): Made | null =>
  column === null ? null : make(column);

const openReaders = ({ columns, positive, unknown }: PredictionsRequest) => {
  const { prediction: said, outcome: found } = columns;
  const flags = (column: string) => flagReader(asFlag(column, positive));
  const names = new Set(unknown);
  return {
    score: optional(columns.score, scoreReader),
    prediction: optional(said, flags),
    outcome: optional(found, flags),
    match: said !== null && found !== null ? flagReader(asMatch(said, found)) : null,
    groups: columns.groups.map((attribute) => groupReader(attribute, names)),
  };
};

const wholeOf = <List>(column: { readonly whole: () => List } | null): List | null =>
  column ? column.whole() : null;

const crossed = (
  codes: readonly GroupCodes[],
  intersections: PredictionsRequest['intersections'],
): GroupCodes[] =>
  intersections.flatMap(([first, second]) => {
    const [one, other] = [codes[first], codes[second]];
    return one && other ? [intersectGroups(one, other)] : [];
  });

/**
 * Streams a table of predictions: what the engine reads goes by some two thousand rows at a time into one typed array
 * per column, so memory is a few bytes a row, of which there are at most five million.
 */
export const readPredictions = async (
  table: DataTable,
  request: PredictionsRequest,
): Promise<PredictionColumns> => {
  const { score, prediction, outcome, match, groups } = openReaders(request);
  const readers = [score, prediction, outcome, match, ...groups].flatMap((one) => (one ? [one.reader] : []));
  let rows = 0;
  for await (const chunk of table.chunks(`select ${readers.map(({ sql }) => sql).join(', ')} from data`)) {
    rows += chunk.rowCount;
    if (rows > mostRows)
      throw new UnfitTable('rows', `it has more than ${String(mostRows)} rows; send a sample of them`);
    readers.forEach((reader, column) => {
      reader.add(chunk, column);
    });
  }
  const codes = groups.map(({ whole }) => whole());
  return {
    rows,
    scores: wholeOf(score),
    predictions: wholeOf(prediction),
    outcomes: wholeOf(outcome),
    matches: wholeOf(match),
    groups: [...codes, ...crossed(codes, request.intersections)],
  };
};
