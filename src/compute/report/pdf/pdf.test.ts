import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Block, PaperDocument } from '../document.js';
import { renderPdf } from './render.js';

const run = promisify(execFile);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-pdf-'));
});
afterAll(() => rm(folder, { recursive: true }));

const paperOf = (blocks: readonly Block[]): PaperDocument => ({
  title: 'A title',
  subtitle: 'A subtitle',
  reportId: '0198a1b2-0000-7000-8000-000000000001',
  dataSha256: 'ab'.repeat(32),
  cutOff: '2026-11-27T12:00:00.000Z',
  cutOffText: '2026-11-27 12:00 UTC',
  facts: [],
  blocks,
});

/** The text of each page by an independent reader; null where the machine has none. */
const pagesOf = async (blocks: readonly Block[]): Promise<string[] | null> => {
  const path = join(folder, 'paper.pdf');
  await writeFile(path, await renderPdf(paperOf(blocks)));
  try {
    return (await run('pdftotext', ['-layout', path, '-'])).stdout.split('\f');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
};

const lines = (count: number): Block[] =>
  Array.from({ length: count }, (_, index) => ({ kind: 'paragraph', text: `Line ${String(index)}` }));

const table = (cell: string, weight = 1): Block => ({
  kind: 'table',
  caption: 'A caption',
  columns: [
    { title: 'Wide', weight: 5, align: 'left' },
    { title: 'Narrow', weight, align: 'left' },
  ],
  rows: [[{ text: 'a' }, { text: cell }]],
});

test('a heading stands on the page of what it introduces, wherever the page ends', async () => {
  for (let before = 24; before < 36; before += 1) {
    const pages = await pagesOf([
      ...lines(before),
      { kind: 'heading', text: 'Heading' },
      { kind: 'paragraph', text: 'Introduction' },
      table('cell'),
    ]);
    if (!pages) return;

    const page = pages.find((text) => text.includes('Heading'));
    expect(page, `${String(before)} lines before`).toContain('A caption');
  }
}, 60_000);

test('a digest that is too long for its column is broken into lines of one length', async () => {
  const pages = await pagesOf([table('0123456789abcdef'.repeat(4), 1.4)]);
  if (!pages) return;

  const pieces =
    pages
      .join('')
      .match(/(?<=\s)[0-9a-f]{8,}$/gm)
      ?.filter((piece) => !piece.includes('abab')) ?? [];
  expect(pieces.join('')).toBe('0123456789abcdef'.repeat(4));
  expect(new Set(pieces.map((piece) => piece.length)).size).toBe(1);
});

test('a digest leaves no empty line, however wide its column is', async () => {
  // From six lines to two: at some width a piece just fits, and the end of its line does not.
  for (let weight = 0.8; weight < 3; weight += 0.1) {
    const pages = await pagesOf([table('0123456789abcdef'.repeat(4), weight)]);
    if (!pages) return;
    const text = pages.join('');
    const cell = text.slice(text.indexOf('Narrow'), text.lastIndexOf('Report ')).split('\n').slice(1);
    const last = cell.findLastIndex((line) => /[0-9a-f]{6,}$/.test(line));
    const first = cell.findIndex((line) => /[0-9a-f]{6,}$/.test(line));

    expect(
      cell.slice(first, last).filter((line) => line.trim() === ''),
      `weight ${weight.toFixed(1)}`,
    ).toEqual([]);
  }
}, 60_000);

test('the lines of a point stand below each other, beside its sign', async () => {
  const pages = await pagesOf([{ kind: 'list', items: [`First ${'and more words '.repeat(20)}`] }]);
  if (!pages) return;

  const [first = '', second = ''] = (pages[0] ?? '').split('\n').filter((line) => line.includes('words'));
  expect(first).toContain('•');
  expect(second.search(/\S/)).toBe(first.indexOf('First'));
});
