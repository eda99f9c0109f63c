import type { ChatMessage } from '../../kernel/ports.js';
import type { ChangeView, Standing } from '../approvals/index.js';

const versionsOf = ({ fromVersion, version }: ChangeView): string | null => {
  if (version === null) return null;
  return fromVersion === null
    ? `no version → version ${String(version)}`
    : `version ${String(fromVersion)} → version ${String(version)}`;
};

const named = (label: string, value: string | null): string[] =>
  value === null ? [] : [`${label}: ${value}`];

/** What is still asked, and of whom: `validator: 0 of 1 approvals`. */
const askedOf = ({ requirements }: Standing): string[] => {
  const open = requirements.filter(({ state }) => state !== 'PASS');
  const approvals = open.filter(({ askedRoles, mode }) => askedRoles.length > 0 && mode === 'ENFORCE');
  const others = open.filter(({ askedRoles }) => askedRoles.length === 0);
  return [
    ...approvals.map(({ message, people }) => {
      const who =
        people.length === 0
          ? 'nobody in the workspace can give it'
          : people.map(({ name }) => name).join(', ');
      return `Asked: ${message} (${who})`;
    }),
    ...others.map(({ message, mode }) => `${mode === 'ENFORCE' ? 'Blocked by' : 'Warning'}: ${message}`),
  ];
};

/** What people are told of a runtime that runs something else than what was approved. */
export const mismatchOf = (
  finding: {
    readonly title: string;
    readonly detail: string;
    readonly severity: string;
    readonly dueAt: Date;
  },
  dedupeKey: string,
): ChatMessage => ({
  channel: '',
  title: finding.title,
  lines: [
    finding.detail,
    `Severity: ${finding.severity.toLowerCase()}`,
    `Due: ${finding.dueAt.toISOString().slice(0, 10)}`,
  ],
  dedupeKey,
});

/** What people are told of a new change request: what moves, who asks, and what is asked of which roles. */
export const announcementOf = (change: ChangeView, standing: Standing, dedupeKey: string): ChatMessage => ({
  // The configured channel.
  channel: '',
  title: `#${String(change.number)} ${change.title}`,
  lines: [
    ...named('Model', change.modelName),
    ...named('Moves', versionsOf(change)),
    ...named('Use case', change.useCaseName),
    `Requested by: ${change.requestedByName ?? change.requestedBy}`,
    `Reason: ${change.reason}`,
    ...askedOf(standing),
    `Open until: ${change.expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    `Manifest: ${change.manifestSha256.slice(0, 16)}…`,
  ],
  link: { label: `Open change request #${String(change.number)}`, url: `/changes/${String(change.number)}` },
  dedupeKey,
});
