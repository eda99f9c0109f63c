import { z } from 'zod';
import type { Permission } from '../../kernel/permissions.js';

/** What the trail tells of one subject, as far as sentences are made of it. */
export interface Deed {
  readonly command: string;
  readonly kind: string;
  readonly changes: Readonly<Record<string, { readonly from?: unknown; readonly to?: unknown }>>;
  readonly facts: Readonly<Record<string, unknown>>;
}

/**
 * The kinds of subjects that activity tells of, with what one must be allowed to read to be told. What is not here is
 * told, in plain words, to those who may read the trail itself.
 */
export const readableBy: Readonly<Record<string, Permission>> = {
  alias: 'alias:read',
  artifact: 'artifact:read',
  card: 'card:read',
  changeRequest: 'changeRequest:read',
  comment: 'comment:read',
  dataset: 'dataset:read',
  datasetVersion: 'dataset:read',
  endpoint: 'endpoint:read',
  evaluation: 'evaluation:read',
  evidence: 'evidence:read',
  finding: 'finding:read',
  incident: 'incident:read',
  member: 'member:read',
  model: 'model:read',
  modelVersion: 'modelVersion:read',
  policy: 'policy:read',
  report: 'report:read',
  reportSchedule: 'reportSchedule:read',
  review: 'review:read',
  riskAssessment: 'risk:read',
  runtime: 'runtime:read',
  tag: 'modelVersion:read',
  useCase: 'useCase:read',
};

type Say = (deed: Deed, name: string) => string | null;

const stateOf = ({ changes }: Deed): string | null => {
  const to = changes['state']?.to;
  return typeof to === 'string' ? to : null;
};

const isNew = ({ changes }: Deed): boolean => changes['state']?.from === null;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const verdicts: Readonly<Record<string, string>> = {
  APPROVE: 'approved',
  REJECT: 'rejected',
  REQUEST_CHANGES: 'asked for changes to',
};

const ends: Readonly<Record<string, string>> = {
  APPROVED: 'completed the approvals of',
  EXECUTED: 'carried out',
  WITHDRAWN: 'withdrew',
  EXPIRED: 'let expire',
};

const voidedIn = z.array(z.object({ why: z.string() })).catch([]);

const longest = 160;

const shortened = (text: string): string =>
  text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;

const voidedSentence = (deed: Deed, name: string): string | null => {
  const [first, ...others] = voidedIn.parse(deed.facts['voided']);
  if (!first) return null;
  const count = others.length + 1;
  const decisions = count === 1 ? 'a decision' : `${String(count)} decisions`;
  return `made ${decisions} on ${name} void: ${shortened(first.why)}`;
};

const sayChange: Say = (deed, name) => {
  const verdict = verdicts[textOf(deed.facts['verdict'])];
  if ('withdrawn' in deed.facts) return `took back a decision on ${name}`;
  if (verdict !== undefined) return `${verdict} ${name}`;
  if (isNew(deed)) return `asked for ${name}`;
  const end = ends[stateOf(deed) ?? ''];
  // A rejection closes the request too; the decision has told it.
  return end === undefined ? voidedSentence(deed, name) : `${end} ${name}`;
};

const sayComment: Say = ({ changes }, name) => {
  if (changes['state']?.to === 'DELETED') return `deleted a comment on ${name}`;
  return changes['revision']?.from === null ? `commented on ${name}` : `edited a comment on ${name}`;
};

const sayAlias: Say = ({ facts, changes }, name) => {
  const alias = textOf(facts['alias']);
  const removed = changes['versionId']?.to === null;
  return removed ? `removed the alias ${alias} of ${name}` : `moved the alias ${alias} to ${name}`;
};

const sayVersion: Say = (deed, name) => {
  const state = stateOf(deed);
  if (deed.command === 'modelVersion.recordIntake') return `examined ${name}: ${(state ?? '').toLowerCase()}`;
  return sayPlainly(deed, name);
};

const sayEvidence: Say = (deed, name) => {
  const days = deed.facts['daysAhead'];
  if (typeof days === 'number') return `warned that ${name} expires in ${String(days)} days`;
  return deed.changes['stale']?.to === true ? `declared ${name} stale` : sayPlainly(deed, name);
};

const special: Readonly<Record<string, Say>> = {
  alias: sayAlias,
  changeRequest: sayChange,
  comment: sayComment,
  evidence: sayEvidence,
  modelVersion: sayVersion,
};

const past: Readonly<Record<string, string>> = {
  add: 'added',
  applyRules: 'set the roles of',
  begin: 'began',
  breakGlass: 'broke the glass for',
  create: 'created',
  decide: 'decided',
  delete: 'deleted',
  disable: 'disabled',
  fail: 'could not finish',
  open: 'opened',
  pause: 'paused',
  record: 'finished',
  remove: 'removed',
  rename: 'renamed',
  render: 'asked for',
  resolve: 'resolved',
  resume: 'resumed',
  review: 'reviewed',
  set: 'set',
  setRoles: 'set the roles of',
  start: 'started',
  submit: 'submitted',
  suspend: 'suspended',
  update: 'changed',
  upload: 'uploaded',
};

const words = (name: string): string => name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();

const ownVerb = (deed: Deed): string | undefined => {
  // A command that touches several things says of the others that they are new, or changed.
  const [noun = '', verb = ''] = deed.command.split('.');
  if (noun === deed.kind) return past[verb];
  return isNew(deed) ? 'opened' : 'changed';
};

const sayPlainly: Say = (deed, name) => {
  const verb = ownVerb(deed);
  return verb === undefined
    ? `did «${words(deed.command.replace('.', ': '))}» to ${name}`
    : `${verb} ${name}`;
};

/** What was done, without who did it: `approved change request #7`; null when another entry tells it already. */
export const sentenceOf = (deed: Deed, name: string): string | null =>
  (special[deed.kind] ?? sayPlainly)(deed, name);

/**
 * What the sentence is about: of an alias the version or the model that it named then, since where it points now is
 * another story.
 */
export const objectOf = ({ kind, changes, facts }: Deed, id: string): { kind: string; id: string } => {
  if (kind !== 'alias') return { kind, id };
  const to = textOf(changes['versionId']?.to);
  return to === '' ? { kind: 'model', id: textOf(facts['modelId']) } : { kind: 'modelVersion', id: to };
};

/** What a thing is called when nothing more is known of it. */
export const plainName = (kind: string): string => `a ${words(kind)}`;
