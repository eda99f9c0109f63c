import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../../kernel/errors.js';
import type { IdentityDoor } from './door.js';
import { hypertext, sendPage, type Markup } from '../../../http/pages.js';

/** The order in which a newcomer reads; what is not named here follows by name. */
const readingOrder = [
  'quickstart.md',
  'concepts.md',
  'graphql.md',
  'registry.md',
  'evidence.md',
  'approvals.md',
  'slack.md',
  'decisions.md',
  'audit.md',
  'reports.md',
  'sign-in.md',
  'keycloak.md',
  'configuration.md',
  'running-in-production.md',
  'operations-metrics.md',
];

const placeOf = (name: string): number => {
  const place = readingOrder.indexOf(name);
  return place < 0 ? readingOrder.length : place;
};

/** Paths of the documents below the folder, with forward slashes. Only what is listed is ever opened. */
const listDocuments = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const inside = folder.length + 1;
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath, entry.name).slice(inside).replaceAll('\\', '/'))
    .sort()
    .sort((one, other) => placeOf(one) - placeOf(other));
};

const titleOf = (text: string, name: string): string => /^# +(.+)$/m.exec(text)?.[1]?.trim() ?? name;

const readTitles = (folder: string, names: readonly string[]): Promise<{ name: string; title: string }[]> =>
  Promise.all(
    names.map(async (name) => ({ name, title: titleOf(await readFile(join(folder, name), 'utf8'), name) })),
  );

/** Where a link of a document leads within these pages, or null. */
const targetOf = (link: string, from: string, names: readonly string[]): string | null => {
  if (/^https?:\/\//.test(link)) return link;
  const path = posix.join(posix.dirname(from), link.replace(/#.*$/, ''));
  return names.includes(path) ? `/docs/${path}` : null;
};

/** The text as it was written; its links can be followed. */
const withLinks = (text: string, from: string, names: readonly string[]): Markup[] => {
  const pieces: Markup[] = [];
  let end = 0;
  for (const found of text.matchAll(/\[([^\]\n]+)\]\(([^)\s]+)\)/g)) {
    const [whole, label = '', link = ''] = found;
    const target = targetOf(link, from, names);
    pieces.push(hypertext`${text.slice(end, found.index)}`);
    pieces.push(target === null ? hypertext`${whole}` : hypertext`<a href="${target}">${label}</a>`);
    end = found.index + whole.length;
  }
  return [...pieces, hypertext`${text.slice(end)}`];
};

/** `/docs`: the documents of this version, as text; a browser gets the same text with links. */
export const documentRoutes = (server: FastifyInstance, { docsFolder }: IdentityDoor): void => {
  const list = async (_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const titles = await readTitles(docsFolder, await listDocuments(docsFolder));
    const items = titles.map(
      ({ name, title }) => hypertext`<li><a href="/docs/${name}">${title}</a> <small>${name}</small></li> `,
    );
    const body = hypertext`<h1>Documents</h1>
      <ul>
        ${items}
      </ul>
      <p><a href="/">Start page</a></p>`;
    return sendPage(reply, { title: 'Countersign: documents', body });
  };
  server.get('/docs', list);
  server.get('/docs/', list);

  server.get<{ Params: { '*': string } }>('/docs/*', async (request, reply) => {
    const asked = request.params['*'];
    const names = await listDocuments(docsFolder);
    if (!names.includes(asked)) throw new AppError('NOT_FOUND', `There is no document ${asked}; see /docs`);
    const text = await readFile(join(docsFolder, asked), 'utf8');
    void reply.header('vary', 'accept');
    if (!(request.headers.accept ?? '').includes('text/html')) {
      return reply.type('text/plain; charset=utf-8').send(text);
    }
    const body = hypertext`<p><a href="/">Start page</a> · <a href="/docs">Documents</a></p>
<pre>${withLinks(text, asked, names)}</pre>`;
    return sendPage(reply, { title: `Countersign: ${titleOf(text, asked)}`, body });
  });
};
