import { z } from 'zod';
import type { CardView } from '../read-card.js';
import { contentOf, type CardContent } from './card-content.js';
import { toCycloneDx } from './cyclonedx.js';
import { toMarkdown } from './markdown.js';
import { toModelCardJson } from './model-card-json.js';

/** The forms in which a card leaves the house. */
export const cardFormat = z
  .enum(['HUGGING_FACE', 'GOOGLE', 'CYCLONEDX_1_6', 'CYCLONEDX_1_7'])
  .meta({ id: 'CardFormat' });

/** One form of the closed list. */
export type CardFormat = z.output<typeof cardFormat>;

interface Form {
  /** The name of its file, which is also the last part of its address. */
  readonly file: string;
  readonly mediaType: string;
  readonly write: (content: CardContent) => string;
}

const json = (document: object): string => `${JSON.stringify(document, null, 2)}\n`;

/** How each form is written. */
export const cardForms: Readonly<Record<CardFormat, Form>> = {
  HUGGING_FACE: { file: 'README.md', mediaType: 'text/markdown; charset=utf-8', write: toMarkdown },
  GOOGLE: {
    file: 'model-card.json',
    mediaType: 'application/json; charset=utf-8',
    write: (content) => json(toModelCardJson(content)),
  },
  CYCLONEDX_1_6: {
    file: 'bom-1.6.cdx.json',
    mediaType: 'application/vnd.cyclonedx+json; version="1.6"',
    write: (content) => json(toCycloneDx(content, '1.6')),
  },
  CYCLONEDX_1_7: {
    file: 'bom-1.7.cdx.json',
    mediaType: 'application/vnd.cyclonedx+json; version="1.7"',
    write: (content) => json(toCycloneDx(content, '1.7')),
  },
};

/** Writes a card in a form. */
export const writeCard = (card: CardView, format: CardFormat): string =>
  cardForms[format].write(contentOf(card));
