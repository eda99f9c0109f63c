import { beforeAll, expect, test } from 'vitest';
import { openTestDoor } from '../../testing/http-door.js';
import { testApp } from '../../testing/test-app.js';

let url: string;
beforeAll(async () => {
  ({ url } = await openTestDoor(await testApp()));
});

const page = async (path: string): Promise<string> => {
  const answer = await fetch(`${url}${path}`, { headers: { accept: 'text/html' } });
  expect([path, answer.status]).toEqual([path, 200]);
  return answer.text();
};

const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found = '']) => found);

test('every document is a page, and every link and picture of it leads somewhere', async () => {
  const documents = matches(await page('/docs'), /href="(\/docs\/[^"]+)"/g);
  expect(documents.length).toBeGreaterThan(10);
  const pictures = new Set<string>();
  for (const document of documents) {
    const shown = await page(document);
    expect(shown).toContain('<h1 id="');
    expect(shown).not.toContain('```');
    expect(shown).not.toMatch(/\]\([^)]+\.(?:md|svg)/);
    for (const link of matches(shown, /href="(\/docs\/[^"#]+)(?:#[^"]*)?"/g))
      expect(documents).toContain(link);
    for (const picture of matches(shown, /<img src="([^"]+)"/g)) pictures.add(picture);
  }
  expect(pictures.size).toBeGreaterThan(2);
  for (const picture of pictures) {
    const answer = await fetch(`${url}${picture}`);
    expect(answer.headers.get('content-type')).toBe('image/svg+xml');
    expect(answer.headers.get('content-security-policy')).toContain(`default-src 'none'`);
  }
});

test('a program gets a document as it was written, and nothing beside the documents', async () => {
  const answer = await fetch(`${url}/docs/concepts.md`);
  expect(await answer.text()).toMatch(/^# /);
  for (const path of ['../package.json', '%2e%2e/package.json', 'pictures', 'none.md']) {
    expect((await fetch(`${url}/docs/${path}`)).status).toBe(404);
  }
});
