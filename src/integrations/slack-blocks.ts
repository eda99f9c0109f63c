import type { ChatPostMessageArguments } from '@slack/web-api';
import { reasonField, type SlackButton, type SlackContent, type SlackForm } from '../kernel/slack-app.js';

/** The documented limits of Block Kit. */
export const slackLimits = {
  header: 150,
  sectionText: 3000,
  field: 2000,
  fields: 10,
  blocks: 50,
  text: 4000,
  buttonText: 75,
  modalTitle: 24,
} as const;

/** Blocks as the client wants them. */
export type Blocks = NonNullable<Extract<ChatPostMessageArguments, { blocks: unknown }>['blocks']>;

/** Cuts a text to a length, and shows that it was cut. */
export const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;

const signs: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** The three signs that Slack gives a meaning; nothing that people write becomes a mention or a link. */
export const escaped = (text: string): string => text.replace(/[&<>]/g, (sign) => signs[sign] ?? sign);

/** Escaped text of a length, cut between signs: half an `&amp;` would be shown as such. */
export const escapedCut = (text: string, most: number): string => {
  const whole = escaped(text);
  if (whole.length <= most) return whole;
  const short = whole.slice(0, most - 1);
  return `${short.replace(/&[a-z]*$|[\ud800-\udbff]$/, '')}…`;
};

/** Text with marks in it. Verbatim: an `@here` or `#channel` that people wrote calls nobody and leads nowhere. */
const marked = (text: string) => ({ type: 'mrkdwn' as const, text, verbatim: true });

/** A piece of text with marks in it; whoever calls has escaped what people wrote. */
export const section = (text: string): Blocks[number] => ({ type: 'section', text: marked(text) });

/** The title of a message. */
export const header = (title: string): Blocks[number] => ({
  type: 'header',
  text: { type: 'plain_text', text: cut(title, slackLimits.header), emoji: false },
});

/** What people wrote after a line break is shown as theirs: it must not read like a line of ours. */
const continued = (line: string): string => line.replace(/[\n\r\v\f\u0085\u2028\u2029]+/g, '\n│ ');

/** Lines as sections, as many lines in each as its limit allows. */
export const sectionsOf = (lines: readonly string[]): Blocks[number][] => {
  const texts: string[] = [];
  for (const line of lines.map((one) => escapedCut(continued(one), slackLimits.sectionText))) {
    const last = texts.at(-1);
    const together = last === undefined ? line : `${last}\n${line}`;
    if (last === undefined || together.length > slackLimits.sectionText) texts.push(line);
    else texts[texts.length - 1] = together;
  }
  return texts.map(section);
};

/** How much of a field its label may take; the rest is for the value, beside two stars and the end of the line. */
const fieldLabel = 200;

const fieldsOf = ({ facts }: SlackContent): Blocks[number][] =>
  facts.length === 0
    ? []
    : [
        {
          type: 'section',
          fields: facts
            .slice(0, slackLimits.fields)
            .map(({ label, value }) =>
              marked(
                `*${escapedCut(label, fieldLabel)}*\n${escapedCut(value, slackLimits.field - fieldLabel - 3)}`,
              ),
            ),
        },
      ];

const buttonOf = (button: SlackButton, linkTo: (path: string) => string) => ({
  type: 'button' as const,
  action_id: button.name,
  text: { type: 'plain_text' as const, text: cut(button.label, slackLimits.buttonText), emoji: false },
  ...(button.style === undefined ? {} : { style: button.style }),
  ...('value' in button ? { value: button.value } : { url: linkTo(button.path) }),
});

/** A message of ours in Slack's blocks; what must not be lost (mentions, footer, buttons) comes after what may. */
export const contentBlocks = (content: SlackContent, linkTo: (path: string) => string): Blocks => {
  const { mentions, footer, buttons } = content;
  const last: Blocks[number][] = [
    ...(mentions.length === 0 ? [] : [section(mentions.map((id) => `<@${id}>`).join(' '))]),
    ...(footer === null
      ? []
      : [
          {
            type: 'context' as const,
            elements: [marked(escapedCut(footer, slackLimits.field))],
          },
        ]),
    ...(buttons.length === 0
      ? []
      : [{ type: 'actions' as const, elements: buttons.map((button) => buttonOf(button, linkTo)) }]),
  ];
  const first = [...(content.title === '' ? [] : [header(content.title)]), ...fieldsOf(content)];
  const room = slackLimits.blocks - first.length - last.length;
  return [...first, ...sectionsOf(content.lines).slice(0, room), ...last];
};

/** The text that notifications show. */
export const contentText = ({ title, lines }: SlackContent): string =>
  escapedCut(title === '' ? (lines[0] ?? '') : title, slackLimits.text);

const longestReason = 3000;

/** A form of ours as Slack's modal. */
export const modalOf = (form: SlackForm) => ({
  type: 'modal' as const,
  callback_id: 'countersign_reason',
  private_metadata: form.value,
  title: { type: 'plain_text' as const, text: cut(form.title, slackLimits.modalTitle) },
  submit: { type: 'plain_text' as const, text: cut(form.submit, slackLimits.modalTitle) },
  close: { type: 'plain_text' as const, text: 'Cancel' },
  blocks: [
    ...sectionsOf(form.lines),
    {
      type: 'input' as const,
      block_id: reasonField,
      label: { type: 'plain_text' as const, text: form.label },
      element: {
        type: 'plain_text_input' as const,
        action_id: reasonField,
        multiline: true,
        max_length: longestReason,
      },
    },
  ],
});
