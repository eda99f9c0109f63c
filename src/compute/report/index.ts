export type {
  Block,
  Chart,
  IntervalBar,
  PaperDocument,
  ReliabilityPoint,
  Sheet,
  SheetFormat,
  TextCell,
  TextColumn,
  WorkbookDocument,
} from './document.js';
