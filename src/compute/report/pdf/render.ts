import type { PaperDocument } from '../document.js';
import { drawBlocks, drawFront } from './blocks.js';
import { openPaper, writeFooters } from './paper.js';

/** `report.pdf`: a tagged A4 document with embedded fonts. The same document gives the same bytes. */
export const renderPdf = async (source: PaperDocument): Promise<Uint8Array> => {
  const paper = openPaper(source);
  const chunks: Uint8Array[] = [];
  const whole = new Promise<Uint8Array>((resolve, reject) => {
    paper.doc.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    paper.doc.on('end', () => {
      resolve(new Uint8Array(Buffer.concat(chunks)));
    });
    paper.doc.on('error', reject);
  });
  drawFront(paper);
  drawBlocks(paper, source.blocks);
  writeFooters(paper);
  paper.doc.end();
  return whole;
};
