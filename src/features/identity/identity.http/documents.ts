import { readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Marked } from 'marked';
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
  'attestations.md',
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

/** Paths of the documents and pictures below the folder, with forward slashes. Only what is listed is ever opened. */
const listFiles = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const inside = folder.length + 1;
  return entries
    .filter((entry) => entry.isFile() && /\.(?:md|svg)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(inside).replaceAll('\\', '/'))
    .sort()
    .sort((one, other) => placeOf(one) - placeOf(other));
};

const isDocument = (name: string): boolean => name.endsWith('.md');

const titleOf = (text: string, name: string): string => /^# +(.+)$/m.exec(text)?.[1]?.trim() ?? name;

const readTitles = (folder: string, names: readonly string[]): Promise<{ name: string; title: string }[]> =>
  Promise.all(
    names.map(async (name) => ({ name, title: titleOf(await readFile(join(folder, name), 'utf8'), name) })),
  );

/** Where a link of a document leads within these pages, or null. */
const targetOf = (link: string, from: string, names: readonly string[]): string | null => {
  if (/^(?:https?:\/\/|#)/.test(link)) return link;
  const [path = '', part] = link.split('#');
  const place = posix.join(posix.dirname(from), path);
  if (!names.includes(place)) return null;
  return `/docs/${place}${part === undefined ? '' : `#${part}`}`;
};

const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/** The document as a page. HTML within the text stays text, and what leads nowhere is no link. */
const asPage = async (text: string, from: string, names: readonly string[]): Promise<Markup> => {
  const marked = new Marked({
    renderer: {
      html: ({ text: raw }) => hypertext`${raw}`.markup,
      heading({ tokens, depth, text: heading }) {
        const inside: Markup = { markup: this.parser.parseInline(tokens) };
        return hypertext`<h${depth} id="${anchorOf(heading)}">${inside}</h${depth}>`.markup;
      },
      link({ href, tokens }) {
        const inside: Markup = { markup: this.parser.parseInline(tokens) };
        const target = targetOf(href, from, names);
        return (target === null ? inside : hypertext`<a href="${target}">${inside}</a>`).markup;
      },
      image: ({ href, text: alternative }) => {
        const target = targetOf(href, from, names);
        return target === null ? '' : hypertext`<img src="${target}" alt="${alternative}">`.markup;
      },
    },
  });
  return { markup: await marked.parse(text) };
};

/** A picture of a document loads nothing and runs nothing, also when it is opened by itself. */
const sendPicture = (reply: FastifyReply, text: string): FastifyReply =>
  reply
    .header('content-security-policy', `default-src 'none'; style-src 'unsafe-inline'; sandbox`)
    .type('image/svg+xml')
    .send(text);

/** `/docs`: the documents of this version, as they were written; a browser gets them as pages. */
export const documentRoutes = (server: FastifyInstance, { docsFolder }: IdentityDoor): void => {
  const list = async (_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const titles = await readTitles(docsFolder, (await listFiles(docsFolder)).filter(isDocument));
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
    const names = await listFiles(docsFolder);
    if (!names.includes(asked)) throw new AppError('NOT_FOUND', `There is no document ${asked}; see /docs`);
    const text = await readFile(join(docsFolder, asked), 'utf8');
    if (!isDocument(asked)) return sendPicture(reply, text);
    void reply.header('vary', 'accept');
    if (!(request.headers.accept ?? '').includes('text/html')) {
      return reply.type('text/plain; charset=utf-8').send(text);
    }
    const body = hypertext`<p><a href="/">Start page</a> · <a href="/docs">Documents</a></p>
      <div class="document">${await asPage(text, asked, names)}</div>`;
    return sendPage(reply, { title: `Countersign: ${titleOf(text, asked)}`, body });
  });
};
