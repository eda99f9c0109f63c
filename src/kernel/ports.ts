import type { ModelServers } from './model-server.js';
import type { SlackApp } from './slack-app.js';

/**
 * What the product needs of the outside world, in its own words. `src/integrations` fills these ports, one file
 * per vendor; jobs receive them as `outside`.
 */
export interface Outside {
  readonly artifacts: ArtifactStore;
  readonly chat: ChatRoom;
  readonly slack: SlackApp;
  readonly compute: Compute;
  readonly mail: Mailer;
  readonly webhooks: WebhookSender;
  readonly modelServers: ModelServers;
  /** Where people open the product; links that begin with `/` lead there. */
  readonly publicUrl: string;
}

/** Content-addressed storage: what is stored is named by its sha256 and never changes. */
export interface ArtifactStore {
  /**
   * Stores a stream. It becomes visible under its digest only when it is complete; refuses what is larger than
   * `maxBytes` or has another digest than the expected one.
   */
  put(content: AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredArtifact>;
  /**
   * Streams what is stored; throws NOT_FOUND when it is not there. With `reuse` a piece is what it is only until the
   * next one is asked for, so that a large file needs no more memory than two pieces.
   */
  open(sha256: string, options?: { readonly reuse?: boolean }): Promise<AsyncIterable<Uint8Array>>;
  /** Makes the content readable as a local file for as long as `use` runs. */
  withFile<T>(sha256: string, use: (path: string) => Promise<T>): Promise<T>;
  has(sha256: string): Promise<boolean>;
}

/** What a stored stream must keep to. */
export interface PutOptions {
  readonly maxBytes: number;
  readonly expectedSha256?: string | undefined;
  /** Nobody else looks at a piece again: its memory may be given back at once, instead of when it is collected. */
  readonly mayFree?: boolean;
}

/** What was stored. */
export interface StoredArtifact {
  readonly sha256: string;
  readonly bytes: number;
}

/** A place where people are told something. */
export interface ChatRoom {
  /** Whether a real one is configured. */
  readonly configured: boolean;
  /** Posts a message once per dedupe key, as far as the vendor allows; returns the vendor's id of it. */
  post(message: ChatMessage): Promise<{ id: string }>;
}

/** A message: text for notifications, lines for the body, links for what to do next. */
export interface ChatMessage {
  readonly channel: string;
  readonly title: string;
  readonly lines: readonly string[];
  readonly link?: { readonly label: string; readonly url: string };
  readonly dedupeKey: string;
}

/** Sends mail to one person at a time. */
export interface Mailer {
  /** Whether a server is configured. */
  readonly configured: boolean;
  /**
   * Hands a mail to the server. Refuses with PRECONDITION_FAILED what will never go, with RATE_LIMITED what the server
   * asks to try later, and with INTERNAL when it cannot be reached.
   */
  send(mail: Mail): Promise<{ id: string }>;
}

/** A mail, in both forms. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The same for every try, so that a mail that was sent twice can be told. */
  readonly messageKey: string;
  /** Where the person says what they want to be told. */
  readonly preferencesUrl: string;
}

/** Sends requests to addresses that customers chose, and to nothing inside of our own network. */
export interface WebhookSender {
  /** Refuses with FORBIDDEN where the request must not go; throws INTERNAL when no answer came. */
  send(request: WebhookRequest): Promise<WebhookAnswer>;
}

/** One request. */
export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** What came back; the body is nobody's business. */
export interface WebhookAnswer {
  readonly status: number;
  /** When the receiver asks to come back later. */
  readonly retryAfterSeconds: number | null;
}

/** Work in worker threads and sandboxed child processes, off the event loop. */
export interface Compute {
  /** Runs a named task of `src/compute` with structured-clone data. */
  run<Output>(
    task: string,
    input: unknown,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<Output>;
  close(): Promise<void>;
}
