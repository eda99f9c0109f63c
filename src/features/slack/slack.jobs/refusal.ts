import type { AppError } from '../../../kernel/errors.js';
import type { ChangeView } from '../../approvals/index.js';
import { endLine, freshPathOf, isOpen, pathOf, type Shown } from '../content.js';

/** What a person is told who may not do what they tried. */
export interface Answer {
  readonly lines: readonly string[];
  readonly link: { readonly label: string; readonly path: string } | null;
}

const toPage = (change: ChangeView): Answer['link'] => ({
  label: 'Open in Countersign',
  path: pathOf(change),
});

/** Whoever comes late is told who was first, and when. */
export const tooLate = ({ change, facts }: Pick<Shown, 'change' | 'facts'>, now: Date): Answer | null => {
  if (isOpen(change, now)) return null;
  const ended = change.state === 'OPEN' ? 'Expired' : endLine({ change, facts });
  return {
    lines: [`Change request #${String(change.number)} is decided already. ${ended}`],
    link: toPage(change),
  };
};

/** In which tiers one may approve here is a rule of the policy; the others lead to a sign-in. */
export const notHere = ({ change, facts }: Pick<Shown, 'change' | 'facts'>): Answer => ({
  lines: [
    facts.riskTier === null
      ? 'This kind of change is not approved in Slack (rule: slack-approval).'
      : `Changes of the risk tier ${facts.riskTier} are not approved in Slack (rule: slack-approval).`,
  ],
  link: { label: 'Sign in again and approve in Countersign', path: freshPathOf(change) },
});

/** A refusal of the product, with its rule. */
export const refusedBy = (error: AppError, change: ChangeView): Answer => {
  const rule = error.details['rule'];
  const { signIn } = error.details;
  const named = typeof rule === 'string' ? ` (rule: ${rule})` : '';
  return {
    lines: [`${error.message}${named}`],
    link: typeof signIn === 'string' ? { label: 'Sign in again', path: signIn } : toPage(change),
  };
};
