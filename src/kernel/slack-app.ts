/**
 * What the product needs of Slack beside posting lines: messages that are updated in place, buttons, forms, and proof
 * that a request came from there. The secrets stay behind this port; nobody in front of it sees one.
 */
export interface SlackApp {
  /** Whether there is a bot token, so that anything can be sent. */
  readonly configured: boolean;
  /** Whether clicks can come back, by requests or by a socket; without that a message has no buttons but links. */
  readonly interactive: boolean;
  /** The channel of requests, unless a workspace names another one. */
  readonly channel: string;
  /** An address of this installation, from a path. */
  linkTo(path: string): string;
  /** The Slack workspace that the token belongs to. */
  team(): Promise<SlackTeam>;
  /** Who somebody is there. */
  person(userId: string): Promise<SlackPerson>;
  post(message: SlackPost): Promise<SlackPlace>;
  /** Shows something else where a message stands. */
  update(place: SlackPlace, content: SlackContent): Promise<void>;
  /** Tells one person something in a channel that nobody else sees. */
  whisper(to: SlackWhisper): Promise<void>;
  /** Opens a form that asks for a reason; the trigger is good for three seconds. */
  askReason(trigger: string, form: SlackForm): Promise<void>;
  /** A message with this mark that was posted since then, for a try whose answer was lost. */
  findPosted(mark: SlackMark): Promise<SlackPlace | null>;
  /** Whether a request was signed by Slack, neither long ago nor in the future. */
  isGenuine(request: SlackSigned, now: Date): boolean;
  /** Signs what a button or a form carries, for one purpose. */
  seal(purpose: SlackPurpose, value: unknown): string;
  /** What was sealed for this purpose, or null when it was not sealed here. */
  unseal(purpose: SlackPurpose, sealed: string): unknown;
}

/** What something sealed is good for; what was made for one purpose opens for no other. */
export type SlackPurpose = 'button' | 'form' | 'link';

/** A Slack workspace. */
export interface SlackTeam {
  readonly id: string;
  readonly name: string;
}

/** An account there. */
export interface SlackPerson {
  readonly id: string;
  readonly teamId: string;
  readonly name: string;
  /** Null: Slack does not say, because the app may not ask. */
  readonly email: string | null;
  readonly isBot: boolean;
}

/** Where a message stands. */
export interface SlackPlace {
  readonly channel: string;
  readonly ts: string;
}

/** What a message shows; texts are plain and become neither mentions nor links. */
export interface SlackContent {
  readonly title: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly lines: readonly string[];
  /** Accounts that are named at the end, so that Slack tells them. */
  readonly mentions: readonly string[];
  readonly footer: string | null;
  readonly buttons: readonly SlackButton[];
}

/** A button: it hands back its sealed value, or leads to a page that only shows. */
export type SlackButton = {
  readonly name: string;
  readonly label: string;
  readonly style?: 'primary' | 'danger';
} & ({ readonly value: string } | { readonly path: string });

/** A message to be posted, in a channel or in the thread of another message. */
export interface SlackPost {
  readonly channel: string;
  readonly threadTs: string | null;
  readonly content: SlackContent;
  /** Stands in the metadata of the message: two messages with the same mark are one that was sent twice. */
  readonly mark: string;
}

/** Where to look for a mark. */
export interface SlackMark {
  readonly channel: string;
  readonly threadTs: string | null;
  readonly mark: string;
  readonly since: Date;
}

/** What only one person sees. */
export interface SlackWhisper {
  readonly channel: string;
  readonly user: string;
  readonly threadTs: string | null;
  readonly lines: readonly string[];
  readonly link: { readonly label: string; readonly path: string } | null;
}

/** The name of the only field of a form. */
export const reasonField = 'reason';

/** A form that asks for a reason. */
export interface SlackForm {
  readonly title: string;
  readonly submit: string;
  readonly lines: readonly string[];
  readonly label: string;
  /** Sealed; comes back with the answer. */
  readonly value: string;
}

/** A request as it arrived. */
export interface SlackSigned {
  readonly body: Buffer;
  readonly timestamp: string | null;
  readonly signature: string | null;
}

/** What Slack refused for a reason that passes by itself: it is down, or asks to wait. */
export class SlackTrouble extends Error {
  override readonly name = 'SlackTrouble';

  constructor(
    message: string,
    /** How long Slack asks to wait; null when it did not say. */
    readonly retryAfterSeconds: number | null,
    /** Whether it may have done what was asked nevertheless. */
    readonly uncertain: boolean,
  ) {
    super(message);
  }
}
