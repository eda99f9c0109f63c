import type { GroupCodes } from '../../../analysis/index.js';
import { randomStream } from '../../../analysis/index.js';
import { AppError } from '../../../kernel/errors.js';

const mostGroups = 50;

/** Collects the group of each row, in the order in which groups appear. */
export interface GroupColumn {
  readonly attribute: string;
  readonly add: (cell: string) => void;
  readonly codes: () => GroupCodes;
}

/** A column that states groups; cells in `unknown` state none. */
export const groupColumn = (attribute: string, unknown: ReadonlySet<string>): GroupColumn => {
  const places = new Map<string, number>();
  const codes: number[] = [];
  const placeOf = (name: string): number => {
    const known = places.get(name);
    if (known !== undefined) return known;
    if (places.size === mostGroups) {
      throw new AppError(
        'INVALID_INPUT',
        `The column ${attribute} names more than ${String(mostGroups)} groups`,
        {
          rule: 'dataset',
          column: attribute,
        },
      );
    }
    places.set(name, places.size);
    return places.size - 1;
  };
  return {
    attribute,
    add: (cell) => {
      const name = cell.trim();
      codes.push(unknown.has(name) ? -1 : placeOf(name));
    },
    codes: () => ({ attribute, groups: [...places.keys()], codes: Int32Array.from(codes) }),
  };
};

/** Draws rows out of a stream of unknown length. */
export interface RowSample {
  readonly offer: (values: Float32Array) => void;
  /** The drawn rows in the order of the stream, one after the other. */
  readonly rows: () => Float32Array[];
}

/** Every row has the same chance (algorithm R, Vitter 1985); the same seed draws the same rows. */
export const rowSample = (size: number, seed: number): RowSample => {
  const { uniform } = randomStream(seed);
  const drawn: { at: number; values: Float32Array }[] = [];
  let seen = 0;
  return {
    offer: (values) => {
      const place = seen < size ? seen : Math.floor(uniform() * (seen + 1));
      if (place < size) drawn[place] = { at: seen, values };
      seen += 1;
    },
    rows: () => drawn.toSorted((a, b) => a.at - b.at).map(({ values }) => values),
  };
};

/** Rows of equal width one after the other. */
export const joined = (rows: readonly Float32Array[]): Float32Array => {
  const width = rows[0]?.length ?? 0;
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, index) => {
    values.set(row, index * width);
  });
  return values;
};
