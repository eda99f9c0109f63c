import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inline, link, paragraphs } from './escape.js';

const unescaped = (markdown: string): string => markdown.replace(/\\([!-/:-@[-`{-~])/g, '$1');
const bare = (markdown: string): string => markdown.replace(/\\[!-/:-@[-`{-~]/g, '');

test('whatever a text holds, no mark of Markdown or HTML is left to act, and the text is the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const shown = inline(text);
      expect(bare(shown)).not.toMatch(/[!-/:-@[-`{-~\n\r\t]/);
      expect(inline(unescaped(shown))).toBe(shown);
    }),
  );
});

test('paragraphs stay paragraphs, and lines stay lines without becoming code, lists or headings', () => {
  expect(paragraphs('# one\r\n    two\n\n\n- three\n===')).toBe('\\# one\\\ntwo\n\n\\- three\\\n\\=\\=\\=');
});

describe('a link', () => {
  test.each([
    ['leads where it says', 'https://example.com/a b', '<https://example.com/a%20b>'],
    ['cannot close itself', 'https://example.com/><script>', '<https://example.com/%3E%3Cscript%3E>'],
    ['runs nothing', 'javascript:alert(1)', 'javascript\\:alert\\(1\\)'],
    ['is a text when it is no address', 'see [here]', 'see \\[here\\]'],
  ])('%s', (_, url, shown) => {
    expect(link(url)).toBe(shown);
  });
});
