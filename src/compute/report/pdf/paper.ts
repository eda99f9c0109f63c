import { fileURLToPath } from 'node:url';
import PDFDocument from 'pdfkit';
import type { PaperDocument } from '../document.js';

/** The page in points: A4 with room for a footer. */
export const page = { width: 595.28, height: 841.89, left: 48, right: 547.28, top: 52, bottom: 782 } as const;

/** Width of the text. */
export const textWidth = page.right - page.left;

/** Colours with enough contrast on white (4.5 to 1 and more for text). */
export const colours = {
  text: '#1b1f24',
  muted: '#57606a',
  line: '#d0d7de',
  band: '#f3f5f7',
  accent: '#1f5aa8',
  good: '#176f37',
  bad: '#b3261e',
  open: '#8a5200',
} as const;

/** The typefaces by the names under which they are registered. */
export type Face = 'regular' | 'bold';

const faces = {
  regular: import.meta.resolve('@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf'),
  bold: import.meta.resolve('@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf'),
} as const;

/** A document while it is drawn. */
export interface Paper {
  readonly doc: PDFKit.PDFDocument;
  /** The element that everything belongs to, for those who hear the document. */
  readonly root: PDFKit.PDFStructureElement;
  readonly source: PaperDocument;
}

/** Opens an empty tagged document; the first page is there. */
export const openPaper = (source: PaperDocument): Paper => {
  const doc = new PDFDocument({
    size: 'A4',
    margins: { top: page.top, bottom: 0, left: page.left, right: page.width - page.right },
    bufferPages: true,
    pdfVersion: '1.7',
    tagged: true,
    lang: 'en',
    displayTitle: true,
    info: {
      Title: `${source.title}: ${source.subtitle}`,
      Author: 'Countersign',
      Subject: `Report ${source.reportId}`,
      Keywords: `sha256:${source.dataSha256}`,
      CreationDate: new Date(source.cutOff),
    },
  });
  for (const [name, file] of Object.entries(faces)) doc.registerFont(name, fileURLToPath(file));
  const root = doc.struct('Document');
  doc.addStructure(root);
  return { doc, root, source };
};

/** Draws something that is read out as an element of this type. */
export const tagged = (
  { doc }: Paper,
  parent: PDFKit.PDFStructureElement,
  type: string,
  draw: () => void,
  alt?: string,
): void => {
  const content = doc.markStructureContent(type);
  draw();
  doc.endMarkedContent();
  parent.add(doc.struct(type, alt === undefined ? {} : { alt }, content));
};

/** Draws something that is not read out: lines, repeated headers, page numbers. */
export const unread = ({ doc }: Paper, draw: () => void, type: 'Layout' | 'Pagination' = 'Layout'): void => {
  doc.markContent('Artifact', { type });
  draw();
  doc.endMarkedContent();
};

/** Starts a new page. */
export const turnPage = ({ doc }: Paper): void => {
  doc.addPage();
  doc.y = page.top;
};

/** Starts a new page unless so much room is left. */
export const needRoom = (paper: Paper, height: number): void => {
  if (paper.doc.y + height > page.bottom) turnPage(paper);
};

/** How a text is set. */
export interface Setting {
  readonly face: Face;
  readonly size: number;
  readonly width: number;
  readonly colour?: string;
  readonly align?: 'left' | 'right' | 'center';
}

const lineGap = 1.5;

/**
 * Figures below each other have the same width. So have those with a decimal point wherever they stand: the typeface
 * draws the point so close to the digits beside it that 17.8 would read as 178.
 */
const digitsOf = ({ align }: Setting, text: string): { features?: PDFKit.Mixins.OpenTypeFeatures[] } =>
  align === 'right' || /\d\.\d/.test(text) ? { features: ['tnum'] } : {};

/** Height of a text when set. */
export const heightOf = ({ doc }: Paper, text: string, setting: Setting): number =>
  doc
    .font(setting.face)
    .fontSize(setting.size)
    .heightOfString(text || ' ', { width: setting.width, lineGap, ...digitsOf(setting, text) });

/** How wide a text becomes on one line. */
export const widthOf = ({ doc }: Paper, text: string, setting: Setting): number =>
  doc.font(setting.face).fontSize(setting.size).widthOfString(text, digitsOf(setting, text));

/** Sets a text at a place, as high as it needs. */
export const setText = ({ doc }: Paper, text: string, x: number, y: number, setting: Setting): void => {
  const { face, size, width, colour, align } = setting;
  doc
    .font(face)
    .fontSize(size)
    .fillColor(colour ?? colours.text)
    .text(text, x, y, { width, lineGap, align: align ?? 'left', ...digitsOf(setting, text) });
};

const shortHash = (sha256: string): string => sha256.slice(0, 16);

/** Writes report, digest and page number under every page, once all pages are there. */
export const writeFooters = (paper: Paper): void => {
  const { doc, source } = paper;
  const { start, count } = doc.bufferedPageRange();
  for (let index = start; index < start + count; index += 1) {
    doc.switchToPage(index);
    unread(
      paper,
      () => {
        doc.moveTo(page.left, 795).lineTo(page.right, 795).lineWidth(0.5).strokeColor(colours.line).stroke();
        const setting = { face: 'regular', size: 7.2, colour: colours.muted } as const;
        const left = `Report ${source.reportId}   data sha256 ${shortHash(source.dataSha256)}…   as of ${source.cutOffText}`;
        setText(paper, left, page.left, 801, { ...setting, width: textWidth - 70 });
        const number = `Page ${String(index - start + 1)} of ${String(count)}`;
        setText(paper, number, page.right - 65, 801, { ...setting, width: 65, align: 'right' });
      },
      'Pagination',
    );
  }
};
