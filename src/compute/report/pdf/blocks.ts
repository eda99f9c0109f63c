import type { Block } from '../document.js';
import { chartHeight, drawChart } from './charts.js';
import {
  colours,
  heightOf,
  needRoom,
  page,
  setText,
  tagged,
  textWidth,
  unread,
  type Paper,
  type Setting,
} from './paper.js';
import { drawTable, tableStart } from './tables.js';

const body: Setting = { face: 'regular', size: 9.5, width: textWidth };
const note: Setting = { ...body, size: 8.5, colour: colours.muted };
const heading: Setting = { face: 'bold', size: 13, width: textWidth };
const caption: Setting = { face: 'bold', size: 9.5, width: textWidth };
const labelWidth = 132;

type Of<Kind extends Block['kind']> = Extract<Block, { kind: Kind }>;

/** So much must fit below a heading, or it goes to the next page with what follows it. */
const startOf = (paper: Paper, block: Block | undefined): number => {
  if (!block) return 0;
  switch (block.kind) {
    case 'heading':
      return 40;
    case 'paragraph':
      return heightOf(paper, block.text, settingOf(block)) + 6;
    case 'facts':
    case 'list':
      return 40;
    case 'table':
      return 18 + tableStart(paper, block);
    case 'chart':
      return chartHeight(block.chart) + 30;
  }
};

/** A heading goes with its introduction, and that with the beginning of the table or chart that it introduces. */
const startAfter = (paper: Paper, blocks: readonly Block[], index: number): number => {
  const next = blocks[index + 1];
  const start = startOf(paper, next);
  return next?.kind === 'paragraph' ? start + startOf(paper, blocks[index + 2]) : start;
};

const settingOf = (block: Of<'paragraph'>): Setting => (block.isNote ? note : body);

const drawHeading = (
  paper: Paper,
  section: PDFKit.PDFStructureElement,
  block: Of<'heading'>,
  following: number,
): void => {
  const { doc } = paper;
  const isFirst = doc.y <= page.top + 1;
  const gap = isFirst ? 0 : 16;
  needRoom(paper, gap + 24 + following);
  const y = doc.y <= page.top + 1 ? doc.y : doc.y + gap;
  doc.outline.addItem(block.text);
  tagged(paper, section, 'H2', () => {
    setText(paper, block.text, page.left, y, heading);
  });
  doc.y += 5;
};

const itemIndent = 10;
const item: Setting = { ...body, width: textWidth - itemIndent };

/** The lines of a point stand below each other, beside its sign. */
const drawList = (paper: Paper, section: PDFKit.PDFStructureElement, { items }: Of<'list'>): void => {
  const list = paper.doc.struct('L');
  section.add(list);
  for (const text of items) {
    const height = heightOf(paper, text, item);
    needRoom(paper, height);
    const { y } = paper.doc;
    const point = paper.doc.struct('LI');
    list.add(point);
    tagged(paper, point, 'Lbl', () => {
      setText(paper, '•', page.left, y, { ...body, width: itemIndent });
    });
    tagged(paper, point, 'LBody', () => {
      setText(paper, text, page.left + itemIndent, y, item);
    });
    point.end();
    paper.doc.y = y + height + 4;
  }
  list.end();
  paper.doc.y += 4;
};

/** A paragraph is set line by line of its own height; one that is longer than a page goes on. */
const drawParagraph = (paper: Paper, section: PDFKit.PDFStructureElement, block: Of<'paragraph'>): void => {
  const setting = settingOf(block);
  for (const piece of block.text.split('\n')) {
    needRoom(paper, heightOf(paper, piece, setting));
    tagged(paper, section, 'P', () => {
      setText(paper, piece, page.left, paper.doc.y, setting);
    });
    paper.doc.y += 3;
  }
  paper.doc.y += 4;
};

const drawFacts = (paper: Paper, section: PDFKit.PDFStructureElement, { rows }: Of<'facts'>): void => {
  const label: Setting = { face: 'bold', size: 9, width: labelWidth - 10, colour: colours.muted };
  const value: Setting = { face: 'regular', size: 9.5, width: textWidth - labelWidth };
  const list = paper.doc.struct('L');
  section.add(list);
  for (const row of rows) {
    const height = Math.max(heightOf(paper, row.label, label), heightOf(paper, row.value, value));
    needRoom(paper, height + 4);
    const { y } = paper.doc;
    const item = paper.doc.struct('LI');
    list.add(item);
    tagged(paper, item, 'Lbl', () => {
      setText(paper, row.label, page.left, y, label);
    });
    tagged(paper, item, 'LBody', () => {
      setText(paper, row.value, page.left + labelWidth, y, value);
    });
    item.end();
    paper.doc.y = y + height + 4;
  }
  list.end();
  paper.doc.y += 4;
};

const drawCaptioned = (
  paper: Paper,
  section: PDFKit.PDFStructureElement,
  text: string,
  height: number,
): void => {
  needRoom(paper, heightOf(paper, text, caption) + height + 6);
  tagged(paper, section, 'P', () => {
    setText(paper, text, page.left, paper.doc.y + 2, caption);
  });
  paper.doc.y += 3;
};

/** Draws the blocks in order, each heading with the beginning of what follows it. */
export const drawBlocks = (paper: Paper, blocks: readonly Block[]): void => {
  let section = paper.doc.struct('Sect');
  paper.root.add(section);
  blocks.forEach((block, index) => {
    switch (block.kind) {
      case 'heading':
        section.end();
        section = paper.doc.struct('Sect');
        paper.root.add(section);
        drawHeading(paper, section, block, startAfter(paper, blocks, index));
        break;
      case 'paragraph':
        drawParagraph(paper, section, block);
        break;
      case 'facts':
        drawFacts(paper, section, block);
        break;
      case 'list':
        drawList(paper, section, block);
        break;
      case 'table':
        drawCaptioned(paper, section, block.caption, tableStart(paper, block));
        drawTable(paper, section, block);
        break;
      case 'chart':
        drawCaptioned(paper, section, block.title, chartHeight(block.chart));
        tagged(
          paper,
          section,
          'Figure',
          () => {
            drawChart(paper, block.chart);
          },
          block.alt,
        );
        break;
    }
  });
  section.end();
};

/** The front: what it is, about what, as of when, and the digest by which it can be recognised. */
export const drawFront = (paper: Paper): void => {
  const { doc, source, root } = paper;
  const front = doc.struct('Sect');
  root.add(front);
  tagged(paper, front, 'P', () => {
    setText(paper, 'COUNTERSIGN', page.left, page.top, {
      face: 'bold',
      size: 8.5,
      width: textWidth,
      colour: colours.accent,
    });
  });
  doc.y += 6;
  tagged(paper, front, 'H1', () => {
    setText(paper, source.title, page.left, doc.y, { face: 'bold', size: 21, width: textWidth });
  });
  tagged(paper, front, 'P', () => {
    setText(paper, source.subtitle, page.left, doc.y + 2, {
      face: 'regular',
      size: 13,
      width: textWidth,
      colour: colours.muted,
    });
  });
  doc.y += 10;
  unread(paper, () => {
    doc
      .moveTo(page.left, doc.y)
      .lineTo(page.right, doc.y)
      .lineWidth(1.5)
      .strokeColor(colours.accent)
      .stroke();
  });
  doc.y += 12;
  drawFacts(paper, front, {
    kind: 'facts',
    rows: [
      ...source.facts,
      { label: 'Data as of', value: source.cutOffText },
      { label: 'Report', value: source.reportId },
      { label: 'sha256 of the data', value: source.dataSha256 },
    ],
  });
  front.end();
};
