import { SMTPServer, type SMTPServerDataStream, type SMTPServerOptions } from 'smtp-server';
import { afterEach, describe, expect, test } from 'vitest';
import type { Mail } from '../kernel/ports.js';
import { openMail } from './mail.js';

interface TestServer {
  readonly url: (credentials?: string, protocol?: string) => string;
  readonly received: string[];
}

const open: SMTPServer[] = [];
afterEach(async () => {
  await Promise.all(
    open.splice(0).map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(resolve);
        }),
    ),
  );
});

const fault = (responseCode: number, message: string): Error =>
  Object.assign(new Error(message), { responseCode });

/** A real SMTP server on loopback. */
const serve = async (options: SMTPServerOptions = {}): Promise<TestServer> => {
  const received: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream: SMTPServerDataStream, _, done) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        received.push(Buffer.concat(parts).toString());
        done();
      });
    },
    ...options,
  });
  // A client that turns away from a bad certificate is what is tested.
  server.on('error', () => undefined);
  open.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    received,
    url: (credentials = '', protocol = 'smtp') => `${protocol}://${credentials}127.0.0.1:${String(port)}`,
  };
};

const mail = (change: Partial<Mail> = {}): Mail => ({
  to: 'ada@people.test',
  subject: 'Change request #7 waits for you',
  text: 'Please decide.\n\nhttps://countersign.example/changes/7',
  html: '<p>Please decide.</p>',
  messageKey: '0197-delivery',
  preferencesUrl: 'https://countersign.example/settings/notifications',
  ...change,
});

const mailer = (url: string | null) => openMail({ url, from: 'Countersign <gate@countersign.example>' });

test('a mail arrives in both forms, with a name of its own and the way out of it', async () => {
  const server = await serve();
  const { id } = await mailer(server.url()).send(mail());

  const [message = ''] = server.received;
  expect(id).toBe('<0197-delivery@countersign.example>');
  for (const line of [
    'From: Countersign <gate@countersign.example>',
    'To: ada@people.test',
    'Subject: Change request #7 waits for you',
    'Message-ID: <0197-delivery@countersign.example>',
    'List-Unsubscribe: <https://countersign.example/settings/notifications>',
    'Auto-Submitted: auto-generated',
    'Content-Type: multipart/alternative;',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Type: text/html; charset=utf-8',
    'https://countersign.example/changes/7',
  ]) {
    expect(message).toContain(line);
  }
});

test('what people write does not become a header, a recipient or a file', async () => {
  const server = await serve();
  await mailer(server.url())
    .send(mail({ subject: 'Title\r\nBcc: eve@evil.test', to: 'ada@people.test\r\nRCPT TO:<eve@evil.test>' }))
    .catch(() => undefined);
  await mailer(server.url()).send(mail({ subject: 'Title\r\nBcc: eve@evil.test' }));

  expect(server.received.join('\n')).not.toMatch(/^(bcc|rcpt to):/im);
  expect(server.received.at(-1)).toContain('Subject: Title Bcc: eve@evil.test');
});

test('name and password are used, and what is wrong with them is said without them', async () => {
  const server = await serve({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _, done) => {
      if (username === 'user@x' && password === 'p:ss') done(null, { user: 'ok' });
      else done(fault(535, 'no'));
    },
  });

  await mailer(server.url('user%40x:p%3Ass@')).send(mail());
  expect(server.received).toHaveLength(1);
  await expect(mailer(server.url('user:HUSH@')).send(mail())).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    message: expect.not.stringContaining('HUSH') as string,
  });
});

describe('a mail that does not go', () => {
  test.each([
    ['for now', 451, 'RATE_LIMITED'],
    ['for a full mailbox', 452, 'RATE_LIMITED'],
    ['for good', 550, 'PRECONDITION_FAILED'],
    ['for its size', 552, 'PRECONDITION_FAILED'],
  ])('%s (%i) is told apart', async (_, status, code) => {
    const server = await serve({
      onRcptTo: (__, ___, done) => {
        done(fault(status, 'secret words of ada@people.test'));
      },
    });

    await expect(mailer(server.url()).send(mail())).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`\\(${String(status)}\\)$`)) as string,
    });
    expect(server.received).toEqual([]);
  });

  test('because the certificate is not to be trusted is said, and nothing was sent', async () => {
    const server = await serve({ secure: true, disabledCommands: [] });

    await expect(mailer(server.url('', 'smtps')).send(mail())).rejects.toMatchObject({
      code: 'INTERNAL',
      message: 'The connection to the mail server could not be encrypted',
    });
    expect(server.received).toEqual([]);
  });

  test('because STARTTLS shows such a certificate is said, too', async () => {
    const server = await serve({ disabledCommands: [] });

    await expect(mailer(server.url()).send(mail())).rejects.toMatchObject({
      code: 'INTERNAL',
      message: 'The connection to the mail server could not be encrypted',
    });
    expect(server.received).toEqual([]);
  });

  test('because nobody listens is said', async () => {
    await expect(mailer('smtp://127.0.0.1:1').send(mail())).rejects.toMatchObject({
      code: 'INTERNAL',
      message: 'The mail server could not be reached',
    });
  });

  test('because no server is configured says what to set', async () => {
    const none = mailer(null);

    expect(none.configured).toBe(false);
    await expect(none.send(mail())).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      message: expect.stringContaining('SMTP_URL') as string,
    });
  });
});
