import { lookOnce } from '../worker/clock.js';
import type { Tick } from '../kernel/tick.js';
import type { Actor, TestApp } from './test-app.js';

const INBOX = `query ($unread: Boolean, $first: Int, $after: String) {
  inboxUnread inbox(unread: $unread, first: $first, after: $after) {
    nodes { id event title lines link why readAt undelivered } pageInfo { hasNextPage endCursor } } }`;

/** Something that a person was told. */
export interface Item {
  readonly id: string;
  readonly event: string;
  readonly title: string;
  readonly lines: readonly string[];
  readonly link: string;
  readonly why: string;
  readonly readAt: string | null;
  readonly undelivered: readonly string[];
}

/** The inbox of a person, as the API shows it. */
export interface Inbox {
  readonly inboxUnread: number;
  readonly inbox: {
    readonly nodes: readonly Item[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

/** Reads the inbox of a person. */
export const inboxOf = async (
  app: TestApp,
  actor: Actor,
  variables: Record<string, unknown> = {},
): Promise<Inbox> => {
  const { data, errors } = await app.graphql<Inbox>(actor, INBOX, variables);
  if (!data) throw new Error(JSON.stringify(errors));
  return data;
};

/** Watches an inbox: what a person is told from now on, oldest first. */
export const watchInbox = async (app: TestApp, actor: Actor): Promise<() => Promise<Item[]>> => {
  const all = async (): Promise<Item[]> => {
    const { inbox } = await inboxOf(app, actor, { first: 200 });
    return [...inbox.nodes].reverse();
  };
  const before = (await all()).length;
  return async () => (await all()).slice(before);
};

/** A title without the number of its request. */
export const plain = ({ title }: Item): string => title.replace(/#\d+/, '#N');

/** Has the clock look, and performs what it asks for. */
export const tick = async (app: TestApp, ...ticks: readonly Tick[]): Promise<void> => {
  for (const one of ticks) await lookOnce(app, one);
  await app.drainJobs();
};
