import type { ChangeRequest } from '../approvals/index.js';
import type { SlackSettings } from './settings.js';

const hourMs = 3_600_000;
const beforeExpiryMs = 24 * hourMs;

/** Why people are told again. */
export type Nudge = 'EXPIRES' | 'WAITS' | 'ESCALATES';

type Times = Pick<ChangeRequest, 'createdAt' | 'expiresAt'>;

/** When people are told again about a request that still waits; what nobody set, or would come at once, is left out. */
export const nudgesOf = (
  { createdAt, expiresAt }: Times,
  settings: SlackSettings,
): { nudge: Nudge; at: Date }[] => {
  const after = (nudge: Nudge, hours: number | null): { nudge: Nudge; at: Date }[] =>
    hours === null ? [] : [{ nudge, at: new Date(createdAt.getTime() + hours * hourMs) }];
  return [
    ...after('WAITS', settings.remindAfterHours),
    ...after('ESCALATES', settings.escalateAfterHours),
    { nudge: 'EXPIRES' as const, at: new Date(expiresAt.getTime() - beforeExpiryMs) },
  ].filter(({ at }) => at > createdAt && at < expiresAt);
};
