import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';

const style = `
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
  body { max-width: 44rem; margin: 2.5rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; margin: 0; }
  h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid GrayText; }
  th { font-weight: 600; width: 11rem; }
  th::first-letter { text-transform: uppercase; }
  table + div { margin-top: 1rem; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  form { display: inline-block; margin: 0 .5rem .5rem 0; }
  button, select, a.button { font: inherit; padding: .35rem .8rem; border: 1px solid GrayText; border-radius: .4rem;
    background: ButtonFace; color: ButtonText; text-decoration: none; }
  h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
  code { font-size: .95em; overflow-wrap: anywhere; }
  img { max-width: 100%; }
  .document { max-width: none; overflow-x: auto; }
  .document th { width: auto; }
  .document pre { white-space: pre; overflow-x: auto; padding: .6rem .8rem; border: 1px solid GrayText;
    border-radius: .4rem; line-height: 1.35; }
  .bad { color: #b91c1c; font-weight: 600; }
`;
const styleHash = createHash('sha256').update(style).digest('base64');

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A piece of HTML that was put together here; everything else is text and gets escaped. */
export interface Markup {
  readonly markup: string;
}

type Content = Markup | string | number | null | readonly Content[];

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => entities[sign] ?? '');

const isList = (content: Content): content is readonly Content[] => Array.isArray(content);

const render = (content: Content): string => {
  if (content === null) return '';
  if (isList(content)) return content.map(render).join('');
  return typeof content === 'object' ? content.markup : escaped(String(content));
};

/** Puts HTML together: hypertext`<p>${name}</p>`; values are escaped unless they are markup themselves. */
export const hypertext = (parts: TemplateStringsArray, ...values: readonly Content[]): Markup => ({
  markup: parts.map((part, index) => `${part}${render(values[index] ?? null)}`).join(''),
});

/** Sends a page that loads nothing but pictures from here and runs nothing; its forms lead here and, at sign-out, on to the provider. */
export const sendPage = (
  reply: FastifyReply,
  page: {
    readonly title: string;
    readonly body: Markup;
    readonly formOrigins?: readonly string[];
    readonly status?: number;
  },
): FastifyReply => {
  const policy = [
    `default-src 'none'`,
    `style-src 'sha256-${styleHash}'`,
    `img-src 'self'`,
    `form-action 'self' ${(page.formOrigins ?? []).join(' ')}`.trim(),
    `frame-ancestors 'none'`,
    `base-uri 'none'`,
  ];
  const whole = hypertext`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.title}</title>
<style>${{ markup: style }}</style>
</head>
<body>
<main>
${page.body}
</main>
</body>
</html>
`;
  return reply
    .code(page.status ?? 200)
    .header('content-security-policy', policy.join('; '))
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(whole.markup);
};
