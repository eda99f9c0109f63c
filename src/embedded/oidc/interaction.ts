import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { messageOf, type Log } from '../fault.js';
import { messagePage, signInPage } from './pages.js';
import type { Person } from './provider.js';

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

interface InteractionParts {
  readonly provider: Provider;
  readonly people: readonly Person[];
  readonly headers: Readonly<Record<string, string>>;
  readonly log: Log;
}

const LONGEST_FORM = 4_096;
const EXPIRED = [
  'This sign-in has expired or was begun in another browser.',
  'Go back to Countersign and sign in again.',
];

/** Answers `/interaction/…`: shows who can sign in, and takes the choice. */
export async function answerInteraction(
  parts: InteractionParts,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { provider, people, headers, log } = parts;
  const show = (status: number, body: string): void => void res.writeHead(status, headers).end(body);
  try {
    const interaction = await provider.interactionDetails(req, res).catch(() => undefined);
    if (!interaction || interaction.uid !== uidOf(req)) {
      show(400, messagePage('Sign in again', EXPIRED));
      return;
    }
    if (req.method === 'GET') {
      const current = people.find(({ sub }) => sub === interaction.session?.accountId);
      show(200, signInPage(people, current));
      return;
    }
    await takeChoice(parts, { req, res, interaction, show });
  } catch (error) {
    log('The development sign-in failed', { error: messageOf(error) });
    if (!res.headersSent) show(500, messagePage('The sign-in did not work', ['See the log of Countersign.']));
  }
}

interface Choice {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly interaction: Interaction;
  readonly show: (status: number, body: string) => void;
}

async function takeChoice({ provider, people }: InteractionParts, choice: Choice): Promise<void> {
  const { req, res, interaction, show } = choice;
  const form = req.method === 'POST' ? await readForm(req) : undefined;
  if (!form) {
    show(
      req.method === 'POST' ? 413 : 405,
      messagePage('The sign-in did not work', ['Send the form of this page.']),
    );
    return;
  }
  if (form.has('cancel')) {
    const refused = { error: 'access_denied', error_description: 'The sign-in was cancelled.' };
    await provider.interactionFinished(req, res, refused, { mergeWithLastSubmission: false });
    return;
  }
  const person = people.find(({ sub }) => sub === form.get('sub'));
  if (!person) {
    show(
      400,
      messagePage('Nobody was chosen', [
        'The form names nobody who can sign in here. Go back and choose a person.',
      ]),
    );
    return;
  }
  await leaveSessionOfAnother(provider, interaction, person);
  await provider.interactionFinished(req, res, { login: { accountId: person.sub, remember: false } });
}

// The library would sign the other person out by a page that submits itself by script; nothing here needs a script.
async function leaveSessionOfAnother(
  provider: Provider,
  interaction: Interaction,
  person: Person,
): Promise<void> {
  const { session } = interaction;
  if (!session || session.accountId === person.sub) return;
  await (await provider.Session.findByUid(session.uid))?.destroy();
  delete interaction.session;
  await interaction.save(interaction.exp - Math.floor(Date.now() / 1_000));
}

function uidOf(req: IncomingMessage): string | undefined {
  return /^\/interaction\/([\w-]+)$/.exec(new URL(req.url ?? '/', 'http://127.0.0.1').pathname)?.[1];
}

async function readForm(req: IncomingMessage): Promise<URLSearchParams | undefined> {
  req.setEncoding('latin1');
  let form = '';
  for await (const chunk of req) {
    form += String(chunk);
    if (form.length > LONGEST_FORM) return undefined;
  }
  return new URLSearchParams(form);
}
