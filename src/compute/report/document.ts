/** A text in a table, with what it stands for. */
export interface TextCell {
  readonly text: string;
  /** Set for PASS, FAIL and the like: shown with a sign, so that colour is never the only difference. */
  readonly tone?: 'good' | 'bad' | 'open' | undefined;
}

/** A column of a table on paper. */
export interface TextColumn {
  readonly title: string;
  /** Relative to the other columns. */
  readonly weight: number;
  readonly align: 'left' | 'right';
}

/** A bar with its interval. */
export interface IntervalBar {
  readonly label: string;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** The numbers in words, at the end of the bar. */
  readonly note: string;
}

/** A point of a reliability diagram. */
export interface ReliabilityPoint {
  readonly predicted: number;
  readonly observed: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** A chart: drawn as vectors, described in words for those who cannot see it. */
export type Chart =
  | {
      readonly kind: 'intervals';
      readonly bars: readonly IntervalBar[];
      readonly largest: number;
      readonly axis: string;
    }
  | { readonly kind: 'reliability'; readonly points: readonly ReliabilityPoint[]; readonly axis: string };

/** A piece of a document. */
export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string; readonly isNote?: boolean }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'facts'; readonly rows: readonly { readonly label: string; readonly value: string }[] }
  | {
      readonly kind: 'table';
      readonly caption: string;
      readonly columns: readonly TextColumn[];
      readonly rows: readonly (readonly TextCell[])[];
    }
  | { readonly kind: 'chart'; readonly title: string; readonly alt: string; readonly chart: Chart };

/** A document for paper. */
export interface PaperDocument {
  readonly title: string;
  readonly subtitle: string;
  readonly reportId: string;
  /** sha256 of the report's data. */
  readonly dataSha256: string;
  /** ISO time; also the document's creation date, so that the same report gives the same bytes. */
  readonly cutOff: string;
  readonly cutOffText: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly blocks: readonly Block[];
}

/** How the values of a sheet's column are shown. */
export type SheetFormat = 'text' | 'integer' | 'number' | 'share' | 'time' | 'boolean';

/** A sheet: one fact per row. */
export interface Sheet {
  readonly name: string;
  readonly about: string;
  readonly columns: readonly {
    readonly title: string;
    readonly width: number;
    readonly format: SheetFormat;
  }[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
}

/** A workbook. */
export interface WorkbookDocument {
  readonly title: string;
  readonly reportId: string;
  readonly dataSha256: string;
  readonly cutOff: string;
  readonly sheets: readonly Sheet[];
}
