import { z } from 'zod';
import type { Permission } from '../../kernel/permissions.js';
import type { NotificationEvent } from './events.js';

/** What the trail tells of one subject of a command. */
export interface Deed {
  readonly subject: { readonly kind: string; readonly id: string };
  readonly changes: Readonly<Record<string, { readonly from?: unknown; readonly to?: unknown }>>;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Whom something concerns. `asked` are those whose decision a change request waits for. */
export type Concerned = 'asked' | 'requester' | 'deciders' | 'involved' | 'evidence' | 'creator';

/** News as far as the trail tells them; names and people are found when they are composed. */
export interface Draft {
  readonly event: NotificationEvent;
  readonly subject: Deed['subject'];
  /** Tells drafts of one command apart. */
  readonly key: string;
  /** `{name}` stands for what the subject is called, `{actor}` for who did it. */
  readonly title: string;
  readonly lines: readonly string[];
  readonly concerned: readonly Concerned[];
  /** People whom the trail names, and why they are told. */
  readonly users: readonly string[];
  readonly why: string;
  /** Everybody who holds this permission is told. */
  readonly holders: Permission | null;
  /** People who are told by another draft already. */
  readonly except: readonly string[];
  /** Only those who were not told of this subject before. */
  readonly onlyNew: boolean;
  /** Whether other systems are told, too. */
  readonly outside: boolean;
}

const draft = (deed: Deed, told: Pick<Draft, 'event' | 'title' | 'why'> & Partial<Draft>): Draft => ({
  subject: deed.subject,
  key: `${told.event}/${deed.subject.id}`,
  lines: [],
  concerned: [],
  users: [],
  holders: null,
  except: [],
  onlyNew: false,
  outside: true,
  ...told,
});

const texts = z.array(z.uuid()).catch([]);
const voidedIn = z.array(z.object({ by: z.uuid(), why: z.string() })).catch([]);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const named = (label: string, value: unknown): string[] =>
  textOf(value) === '' ? [] : [`${label}: ${textOf(value)}`];
const stateTo = ({ changes }: Deed): unknown => changes['state']?.to;
const isOpened = ({ changes }: Deed): boolean => changes['state']?.from === null;

const askDecision = (deed: Deed, onlyNew: boolean): Draft =>
  draft(deed, {
    event: 'CHANGE_REQUESTED',
    title: '{name} waits for your decision',
    lines: onlyNew ? [] : named('Reason', deed.facts['reason']),
    concerned: ['asked'],
    why: 'You can give an approval that is missing',
    onlyNew,
    outside: !onlyNew,
  });

const decided = (deed: Deed): Draft[] => {
  const lines = named('Reason', deed.facts['reason']);
  const requester = { lines, concerned: ['requester'], why: 'You asked for the change' } as const;
  switch (deed.facts['verdict']) {
    case 'APPROVE':
      return [
        draft(deed, { event: 'CHANGE_DECIDED', title: '{actor} approved {name}', ...requester }),
        askDecision(deed, true),
      ];
    case 'REJECT':
      return [
        draft(deed, {
          event: 'CHANGE_DECIDED',
          title: '{actor} rejected {name}',
          ...requester,
          concerned: ['requester', 'deciders'],
          why: 'You asked for the change, or decided on it',
        }),
      ];
    case 'REQUEST_CHANGES':
      return [
        draft(deed, {
          event: 'CHANGES_REQUESTED',
          title: '{actor} asks for changes to {name}',
          ...requester,
        }),
      ];
    default:
      return [];
  }
};

const voided = (deed: Deed): Draft[] => {
  const void_ = voidedIn.parse(deed.facts['voided']);
  const [first] = void_;
  if (!first) return [];
  return [
    draft(deed, {
      event: 'CHANGE_VOIDED',
      title: 'Decisions on {name} became void',
      lines: [`Because: ${first.why}`, 'What changed has to be looked at and decided on again.'],
      concerned: ['requester'],
      users: void_.map(({ by }) => by),
      why: 'You decided on the change, or asked for it',
    }),
  ];
};

const ended = (deed: Deed): Draft[] => {
  const why = 'You asked for the change, or decided on it';
  const concerned = ['requester', 'deciders'] as const;
  switch (stateTo(deed)) {
    case 'EXECUTED':
      return [draft(deed, { event: 'CHANGE_EXECUTED', title: '{name} was carried out', concerned, why })];
    case 'EXPIRED':
      return [
        draft(deed, { event: 'CHANGE_DECIDED', title: '{name} expired without a decision', concerned, why }),
      ];
    case 'WITHDRAWN':
      return [draft(deed, { event: 'CHANGE_DECIDED', title: '{actor} withdrew {name}', concerned, why })];
    default:
      return [];
  }
};

const ofChange = (deed: Deed): Draft[] => [
  ...(isOpened(deed) && stateTo(deed) === 'OPEN' ? [askDecision(deed, false)] : []),
  ...('verdict' in deed.facts ? decided(deed) : voided(deed)),
  ...ended(deed),
];

const ofFinding = (deed: Deed): Draft[] =>
  isOpened(deed)
    ? [
        draft(deed, {
          event: 'FINDING_ASSIGNED',
          title: '{name} is yours',
          lines: named('Due', textOf(deed.facts['dueAt']).slice(0, 10)),
          users: texts.parse([deed.facts['ownerId']]),
          why: 'You own the finding',
        }),
      ]
    : [];

const ofComment = (deed: Deed): Draft[] => {
  if (deed.changes['revision'] === undefined) return [];
  const users = texts.parse(deed.facts['mentions']);
  const mention = draft(deed, {
    event: 'MENTION',
    title: '{actor} mentioned you in a comment on {name}',
    users,
    why: 'You were mentioned',
    outside: false,
  });
  const comment = draft(deed, {
    event: 'COMMENT',
    title: '{actor} commented on {name}',
    concerned: ['involved'],
    except: users,
    why: 'You have a part in what was commented on',
    outside: false,
  });
  // An edit tells only those whom it newly calls.
  const isNew = deed.changes['revision'].from === null;
  return [...(users.length > 0 ? [mention] : []), ...(isNew ? [comment] : [])];
};

const ofEvidence = (deed: Deed): Draft[] => {
  const days = deed.facts['daysAhead'];
  const stale = deed.changes['stale']?.to === true;
  if (typeof days !== 'number' && !stale) return [];
  const ahead = days === 0 ? 'has expired' : `expires in ${String(days)} ${days === 1 ? 'day' : 'days'}`;
  return [
    draft(deed, {
      event: 'EVIDENCE_AGEING',
      key: `EVIDENCE_AGEING/${deed.subject.id}/${stale ? 'stale' : String(days)}`,
      title: stale ? '{name} no longer holds' : `{name} ${ahead}`,
      lines: named('Because', deed.facts['reason']),
      concerned: ['evidence'],
      why: 'You own the use case, or made the version',
    }),
  ];
};

const ofIncident = (deed: Deed): Draft[] =>
  isOpened(deed)
    ? [
        draft(deed, {
          event: 'INCIDENT',
          title: `Incident: ${textOf(deed.facts['title'])}`,
          lines: named('Review due', textOf(deed.facts['reviewDueAt']).slice(0, 10)),
          holders: 'comment:moderate',
          why: 'You answer for the workspace',
        }),
      ]
    : [];

const ofWebhook = (deed: Deed): Draft[] =>
  stateTo(deed) === 'DISABLED'
    ? [
        draft(deed, {
          event: 'WEBHOOK_DISABLED',
          title: '{name} was disabled',
          lines: [...named('Because', deed.facts['reason']), 'Resume it when the receiver answers again.'],
          holders: 'webhook:manage',
          concerned: ['creator'],
          why: 'You manage webhooks',
          outside: false,
        }),
      ]
    : [];

const byKind: Readonly<Record<string, (deed: Deed) => Draft[]>> = {
  changeRequest: ofChange,
  finding: ofFinding,
  comment: ofComment,
  evidence: ofEvidence,
  incident: ofIncident,
  webhook: ofWebhook,
};

/** A batch of decisions that waits for people is one piece of news. */
const ofReviews = (deeds: readonly Deed[]): Draft[] => {
  const opened = deeds.filter((deed) => deed.subject.kind === 'review' && isOpened(deed));
  const [first] = opened;
  if (!first) return [];
  const count = opened.length === 1 ? 'A decision waits' : `${String(opened.length)} decisions wait`;
  return [
    draft(first, {
      event: 'REVIEW_WAITING',
      title: `${count} for a review`,
      lines: named('Due', textOf(first.facts['dueAt']).slice(0, 16).replace('T', ' ')),
      holders: 'review:decide',
      why: 'You decide reviews',
    }),
  ];
};

/** What the entries of one command tell people. */
export const draftsOf = (deeds: readonly Deed[]): Draft[] => [
  ...deeds.flatMap((deed) => byKind[deed.subject.kind]?.(deed) ?? []),
  ...ofReviews(deeds),
];
