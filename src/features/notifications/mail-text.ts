import type { SentNews } from './notifications.queries/to-send.js';

/** A mail as people read it. */
export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

interface Writing {
  readonly news: readonly SentNews[];
  readonly workspace: { readonly name: string };
  readonly publicUrl: string;
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => escapes[sign] ?? sign);

const where = (link: string, publicUrl: string): string => new URL(link, publicUrl).href;

const preferences = '/settings/notifications';

/** Where a person says what they want to be told. */
export const preferencesUrl = (publicUrl: string): string => where(preferences, publicUrl);

const plainPart = ({ title, lines, link }: SentNews, publicUrl: string): string =>
  [title, ...lines.map((line) => `  ${line.replaceAll('\n', '\n  ')}`), `  ${where(link, publicUrl)}`].join(
    '\n',
  );

const htmlPart = ({ title, lines, link }: SentNews, publicUrl: string): string =>
  `<h2 style="font-size:1rem;margin:1.5em 0 .5em">${escaped(title)}</h2>` +
  lines.map((line) => `<p style="margin:.25em 0">${escaped(line).replaceAll('\n', '<br>')}</p>`).join('') +
  `<p style="margin:.5em 0"><a href="${escaped(where(link, publicUrl))}">Open in Countersign</a></p>`;

const subjectOf = ({ news, workspace }: Writing): string => {
  const [only] = news;
  const what = news.length === 1 && only ? only.title : `${String(news.length)} news of the day`;
  return `[${workspace.name}] ${what}`.slice(0, 200).toWellFormed();
};

/** Writes a mail in both forms, of one piece of news or of those of a day. */
export const mailOf = (writing: Writing): MailText => {
  const { news, workspace, publicUrl } = writing;
  const why = `You get this mail as a member of ${workspace.name} on Countersign.`;
  const settings = preferencesUrl(publicUrl);
  const parts = news.map((one) => plainPart(one, publicUrl)).join('\n\n');
  return {
    subject: subjectOf(writing),
    text: `${parts}\n\n-- \n${why}\nWhat you are told, and how: ${settings}\n`,
    html:
      `<!doctype html><html lang="en"><body style="font-family:sans-serif;line-height:1.5;max-width:40em">` +
      news.map((one) => htmlPart(one, publicUrl)).join('') +
      `<hr><p style="font-size:.85rem">${escaped(why)} <a href="${escaped(settings)}">What you are told, and how</a></p>` +
      `</body></html>`,
  };
};
