import { createTransport } from 'nodemailer';
import { isLoopbackHost } from '../kernel/egress.js';
import { AppError } from '../kernel/errors.js';
import type { Mail, Mailer } from '../kernel/ports.js';

/** How to reach the mail server. */
export interface MailOptions {
  /** `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`; null: no mail is sent. */
  readonly url: string | null;
  /** Who it comes from. */
  readonly from: string;
}

/** Where nobody gets mail, because no server is configured. */
export const noMail: Mailer = {
  configured: false,
  send: () =>
    Promise.reject(
      new AppError('PRECONDITION_FAILED', 'No mail server is configured; set SMTP_URL to have mails sent'),
    ),
};

const timeoutMs = 15_000;

const transportOf = (url: string) => {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  const auth = { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  return createTransport({
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    // Whoever sits between could take STARTTLS out of the greeting; without encryption nothing leaves this machine.
    requireTLS: !secure && !isLoopbackHost(hostname),
    ...(username === '' ? {} : { auth }),
    tls: { minVersion: 'TLSv1.2' },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // A mail holds what we wrote, never a file or an address that a text names.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
};

const codeOf = (error: unknown, field: 'code' | 'responseCode'): unknown =>
  typeof error === 'object' && error !== null && field in error
    ? (error as Readonly<Record<string, unknown>>)[field]
    : undefined;

/** What may be said of a mail that did not go; the server's own words may hold addresses. */
const troubleOf = (error: unknown): AppError => {
  const status = codeOf(error, 'responseCode');
  const code = codeOf(error, 'code');
  if (code === 'EAUTH') {
    return new AppError('RATE_LIMITED', 'The mail server does not accept the name and password of SMTP_URL');
  }
  if (typeof status === 'number' && status >= 500) {
    return new AppError(
      'PRECONDITION_FAILED',
      `The mail server refused the mail for good (${String(status)})`,
      {
        status,
      },
    );
  }
  if (typeof status === 'number' && status >= 400) {
    return new AppError('RATE_LIMITED', `The mail server asks to try later (${String(status)})`, { status });
  }
  const text = error instanceof Error ? error.message : '';
  if (code === 'ETLS' || /certificate|TLS|SSL/i.test(text)) {
    return new AppError('INTERNAL', 'The connection to the mail server could not be encrypted');
  }
  return new AppError('INTERNAL', 'The mail server could not be reached');
};

const hostOf = (from: string): string => /@([a-z0-9.-]+)/i.exec(from)?.[1] ?? 'countersign.invalid';

/** A mailer over SMTP. It never waits for a limit to pass: the job that sends comes back by its own delays. */
export const openMail = ({ url, from }: MailOptions): Mailer => {
  if (url === null) return noMail;
  const transport = transportOf(url);
  return {
    configured: true,
    send: async (mail: Mail) => {
      try {
        const messageId = `<${mail.messageKey}@${hostOf(from)}>`;
        await transport.sendMail({
          from,
          to: { name: '', address: mail.to },
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          messageId,
          headers: {
            'Auto-Submitted': 'auto-generated',
            'List-Unsubscribe': `<${mail.preferencesUrl}>`,
          },
        });
        return { id: messageId };
      } catch (error) {
        throw troubleOf(error);
      }
    },
  };
};
