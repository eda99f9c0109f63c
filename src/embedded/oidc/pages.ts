import { createHash } from 'node:crypto';
import type { Person } from './provider.js';

const STYLE = `
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
  body { max-width: 34rem; margin: 3rem auto; padding: 0 1rem; }
  h1 { font-size: 1.5rem; }
  .notice { border-left: .25rem solid #b45309; padding: .25rem .75rem; }
  ul { list-style: none; padding: 0; }
  li { margin: .5rem 0; }
  button { font: inherit; text-align: left; width: 100%; padding: .6rem .9rem; border: 1px solid GrayText;
    border-radius: .4rem; background: Canvas; color: CanvasText; cursor: pointer; }
  button:hover { border-color: CanvasText; }
  button:focus-visible { outline: .2rem solid Highlight; outline-offset: .1rem; }
  button span { display: block; font-size: .875rem; opacity: .8; }
`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Writes text so that it is text in HTML too. */
export function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '');
}

/**
 * The headers of every page. No script runs and nothing is loaded; a form leads here and, through redirects, back
 * to the applications that may use this provider.
 */
export function pageHeaders(returnOrigins: readonly string[]): Readonly<Record<string, string>> {
  const policy = [
    `default-src 'none'`,
    `style-src 'sha256-${STYLE_HASH}'`,
    `form-action 'self' ${returnOrigins.join(' ')}`,
    `frame-ancestors 'none'`,
    `base-uri 'none'`,
  ];
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} (development only)</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<p class="notice"><strong>Development only.</strong> This sign-in asks for no password. It serves this machine alone.</p>
${content}
</main>
</body>
</html>
`;
}

/** The sign-in page: one button for each person. */
export function signInPage(people: readonly Person[], current: Person | undefined): string {
  const intro = current
    ? `You are signed in as ${current.name}. Choose who you are to confirm it, or to change.`
    : 'Choose who you are.';
  const choices = people.map(
    ({ sub, name, email, groups }) =>
      `<li><button name="sub" value="${escapeHtml(sub)}">${escapeHtml(name)}` +
      `<span>${escapeHtml([email, ...groups].join(' · '))}</span></button></li>`,
  );
  const content = `<p>${escapeHtml(intro)}</p>
<form method="post">
<ul>
${choices.join('\n')}
</ul>
<p><button name="cancel" value="yes">Cancel</button></p>
</form>`;
  return page('Sign in to Countersign', content);
}

/** The page that asks before it signs out; `form` is the provider's own form. */
export function signOutPage(form: string): string {
  const content = `<p>Do you want to sign out of the development sign-in too?</p>
${form}
<ul>
<li><button type="submit" form="op.logoutForm" value="yes" name="logout">Sign out</button></li>
<li><button type="submit" form="op.logoutForm">Stay signed in</button></li>
</ul>`;
  return page('Sign out', content);
}

/** A page that only says something. */
export function messagePage(title: string, sentences: readonly string[]): string {
  return page(title, sentences.map((sentence) => `<p>${escapeHtml(sentence)}</p>`).join('\n'));
}
