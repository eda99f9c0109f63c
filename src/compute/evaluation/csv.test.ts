import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { csvRows } from './csv.js';

/** The bytes in pieces of this size, as a slow disk would give them. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

const read = async (text: string | Uint8Array, path = 'a.csv', size = 3): Promise<string[][]> => {
  const rows: string[][] = [];
  for await (const { cells } of csvRows(pieces(Buffer.from(text), size), path)) rows.push([...cells]);
  return rows;
};

test('cells are read whatever the pieces, with quotes, doubled quotes and line ends inside of them', async () => {
  const table = 'name,said\r\n"Müller, Ä","He said ""yes""\nand left"\r\n\r\nB,\n';
  const expected = [
    ['name', 'said'],
    ['Müller, Ä', 'He said "yes"\nand left'],
    ['B', ''],
  ];
  for (const size of [1, 2, 5, 1000]) expect(await read(table, 'a.csv', size)).toEqual(expected);
  expect(await read(gzipSync(table), 'a.csv.gz', 7)).toEqual(expected);
});

test('the last line needs no end', async () => {
  expect(await read('a,b\n1,2')).toEqual([
    ['a', 'b'],
    ['1', '2'],
  ]);
});

test.each([
  [
    'a line of another width',
    'a,b\n1,2\n3\n',
    'a.csv',
    'Line 3 of the data set has 1 cells, the header has 2',
  ],
  ['bytes that are no UTF-8', Uint8Array.of(0x61, 0x0a, 0xff, 0xfe, 0x0a), 'a.csv', 'is not UTF-8 text'],
  ['what is not gzip', 'no gzip', 'a.csv.gz', 'damaged'],
  ['gzip that was cut off', gzipSync('a,b\n'.repeat(1000)).subarray(0, 30), 'a.csv.gz', 'damaged'],
])('%s is refused and named', async (_, content, path, sentence) => {
  await expect(read(content, path)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining(sentence) as string,
  });
});
