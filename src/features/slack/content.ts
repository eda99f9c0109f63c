import { createHash } from 'node:crypto';
import { canonicalBytes } from '../../kernel/audit.js';
import type { SlackApp, SlackButton, SlackContent } from '../../kernel/slack-app.js';
import type { ApprovalView, ChangeView, Standing } from '../approvals/index.js';
import type { MetricMove, SlackFacts } from './slack.queries/requests.js';
import type { ButtonValue, SlackDeed } from './sealed.js';

/** A request with everything that its message shows. */
export interface Shown {
  readonly workspaceId: string;
  readonly change: ChangeView;
  readonly standing: Standing;
  readonly facts: SlackFacts;
}

/** A time as people read it. */
export const timeOf = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** Where a request is shown. */
export const pathOf = ({ number }: Pick<ChangeView, 'number'>): string => `/changes/${String(number)}`;

/** The same page, behind a sign-in that asks again who it is (max_age=0). */
export const freshPathOf = (change: Pick<ChangeView, 'number'>): string =>
  `/auth/login?fresh=1&returnTo=${encodeURIComponent(pathOf(change))}`;

const arrow = ({ from, to }: MetricMove): string =>
  from === null || from === to ? '' : from < to ? ' ↑' : ' ↓';

const metricLine = (move: MetricMove): string => {
  const before = move.from === null ? '' : `${String(move.from)} → `;
  return `• ${move.name}: ${before}${String(move.to)}${arrow(move)}`;
};

const movesOf = ({ fromVersion, version }: ChangeView): string | null => {
  if (version === null) return null;
  const before = fromVersion === null ? 'no version' : `version ${String(fromVersion)}`;
  return `${before} → version ${String(version)}`;
};

const factsOf = ({ change, facts }: Shown): { label: string; value: string }[] => {
  const named: [string, string | null][] = [
    ['Model', change.modelName],
    ['Moves', movesOf(change)],
    ['Alias', change.alias],
    ['Use case', change.useCaseName],
    ['Risk', facts.riskTier],
    ['Requested by', change.requestedByName ?? change.requestedBy],
    ['Open until', change.state === 'OPEN' ? timeOf(change.expiresAt) : null],
  ];
  return named.flatMap(([label, value]) => (value === null ? [] : [{ label, value }]));
};

/** What is still asked, and of whom: `validator: 0 of 1 approvals`. */
const askedOf = ({ requirements }: Standing): string[] => {
  const open = requirements.filter(({ state }) => state !== 'PASS');
  const approvals = open.filter(({ askedRoles, mode }) => askedRoles.length > 0 && mode === 'ENFORCE');
  const others = open.filter(({ askedRoles }) => askedRoles.length === 0);
  return [
    ...approvals.map(({ message, people }) => {
      const names = people.map(({ name }) => name).join(', ');
      return `Asked: ${message} (${names === '' ? 'nobody in the workspace can give it' : names})`;
    }),
    ...others.map(({ message, mode }) => `${mode === 'ENFORCE' ? 'Blocked by' : 'Warning'}: ${message}`),
  ];
};

const did: Readonly<Record<ApprovalView['verdict'], string>> = {
  APPROVE: 'approved',
  REJECT: 'rejected it',
  REQUEST_CHANGES: 'asked for changes',
};

/** A decision in a sentence. */
export const decisionLine = ({ byName, verdict, role }: ApprovalView): string =>
  `${byName ?? 'Somebody'} ${did[verdict]} as ${role}`;

const decisionsOf = ({ facts }: Shown): string[] =>
  facts.decisions.filter((one) => one.valid).map(decisionLine);

const ended: Readonly<Record<ChangeView['state'], string>> = {
  OPEN: 'Open',
  APPROVED: 'Approved, being carried out',
  EXECUTED: 'Approved and carried out',
  REJECTED: 'Rejected',
  WITHDRAWN: 'Withdrawn',
  EXPIRED: 'Expired',
};

/** How a request ended, by whom and when: for its message, and for whoever comes late. */
export const endLine = ({ change, facts }: Pick<Shown, 'change' | 'facts'>): string => {
  const by = facts.closedByName === null ? '' : ` by ${facts.closedByName}`;
  const at = change.closedAt === null ? '' : ` at ${timeOf(change.closedAt)}`;
  const why = change.closeReason === null ? '' : `: ${change.closeReason}`;
  return `${ended[change.state]}${by}${at}${why}`;
};

/** Whether people can still decide on it. */
export const isOpen = (change: Pick<ChangeView, 'state' | 'expiresAt'>, now: Date): boolean =>
  change.state === 'OPEN' && change.expiresAt > now;

const valueOf = ({ workspaceId, change, standing }: Shown): ButtonValue => ({
  workspaceId,
  changeRequestId: change.id,
  manifestSha256: standing.manifestSha256,
});

const openButton = (change: ChangeView): SlackButton => ({
  name: 'open',
  label: 'Open in Countersign',
  path: pathOf(change),
});

const buttonsOf = (shown: Shown, slack: SlackApp, now: Date): SlackButton[] => {
  const { change, facts } = shown;
  if (!isOpen(change, now) || !slack.interactive) return [openButton(change)];
  const value = slack.seal('button', valueOf(shown));
  const button = (name: SlackDeed, label: string, style?: 'primary' | 'danger'): SlackButton => ({
    name,
    label,
    value,
    ...(style === undefined ? {} : { style }),
  });
  const approve: SlackButton = facts.approvable
    ? button('approve', 'Approve', 'primary')
    : { name: 'sign-in', label: 'Approve after signing in', style: 'primary', path: freshPathOf(change) };
  return [
    approve,
    button('reject', 'Reject', 'danger'),
    button('requestChanges', 'Request changes'),
    openButton(change),
  ];
};

/** The message of a request as it stands. */
export const requestContent = (shown: Shown, slack: SlackApp, now: Date): SlackContent => {
  const { change, standing, facts } = shown;
  const state = change.state === 'OPEN' ? askedOf(standing) : [endLine(shown)];
  return {
    title: `#${String(change.number)} ${change.title}`,
    facts: factsOf(shown),
    lines: [`Reason: ${change.reason}`, ...facts.metrics.map(metricLine), ...decisionsOf(shown), ...state],
    mentions: [],
    footer: `Request #${String(change.number)} · manifest ${standing.manifestSha256.slice(0, 16)}…`,
    buttons: buttonsOf(shown, slack, now),
  };
};

/** By what it is known whether a message shows something else. */
export const digestOf = (content: SlackContent): string =>
  createHash('sha256').update(canonicalBytes(content)).digest('hex');

/** A message of lines, without title and buttons. */
export const plainContent = (lines: readonly string[], mentions: readonly string[] = []): SlackContent => ({
  title: '',
  facts: [],
  lines,
  mentions,
  footer: null,
  buttons: [],
});

/** Told again of a request that waits. */
export const nudgeContent = (
  { change, standing }: Shown,
  why: 'EXPIRES' | 'WAITS' | 'ESCALATES',
  mentions: readonly string[],
): SlackContent => {
  const name = `Change request #${String(change.number)} (${change.title})`;
  const first = {
    EXPIRES: `${name} ends at ${timeOf(change.expiresAt)} if nobody completes it.`,
    WAITS: `${name} waits since ${timeOf(change.createdAt)}; nobody has decided yet.`,
    ESCALATES: `${name} is still open since ${timeOf(change.createdAt)}.`,
  }[why];
  return { ...plainContent([first, ...askedOf(standing)], mentions), buttons: [openButton(change)] };
};
