/* Text of people goes into documents as text: whatever it holds, it neither marks up nor links nor runs. */

const punctuation = /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g;
// Tabs and line breaks are whitespace and treated before; anything else has no place in a document.
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029]/g;

const plainSpace = (text: string): string =>
  text.replace(/\r\n?/g, '\n').replaceAll('\t', ' ').replace(control, '\ufffd');

/** One line of Markdown that shows the text as it is. Every ASCII punctuation mark may be escaped (CommonMark 2.4). */
export const inline = (text: string): string =>
  plainSpace(text)
    .replace(/\s*\n\s*/g, ' ')
    .trim()
    .replace(punctuation, String.raw`\$&`);

/** Paragraphs of Markdown that show the text as it is, line by line. */
export const paragraphs = (text: string): string =>
  plainSpace(text)
    .split(/\n\s*\n/)
    .map((paragraph) => {
      const lines = paragraph.split('\n').map(inline);
      return lines.filter((line) => line !== '').join('\\\n');
    })
    .filter((paragraph) => paragraph !== '')
    .join('\n\n');

/** An address that any reader takes for one and the same: what no address may hold is percent-encoded. */
export const safeAddress = (url: string): string =>
  (URL.canParse(url) ? new URL(url).href : url).replace(/[\s<>"{}|\\^`]/g, (mark) =>
    encodeURIComponent(mark),
  );

/** A link that leads where it says, or the text when it is no address to follow. */
export const link = (url: string): string =>
  URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) ? `<${safeAddress(url)}>` : inline(url);
