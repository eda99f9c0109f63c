import { frameworkPacks, type FrameworkGaps } from '../../cards/index.js';
import { defineCheck, finding, type CheckFinding, type CheckRule } from '../check-rule.js';

const most = 5;

const judgeGaps = ({ title, missing }: FrameworkGaps): CheckFinding => {
  if (missing.length === 0)
    return finding('PASS', `The card answers every mandatory requirement of ${title}`);
  const more = missing.length > most ? ` and ${String(missing.length - most)} more` : '';
  const named = `${missing.slice(0, most).join(', ')}${more}`;
  return finding('MISSING', `For ${title} the card does not say ${named}; see cardCompleteness`);
};

/** One check per framework that the installation knows: a policy asks for those that apply to it. */
export const cardCompletePerFramework: readonly CheckRule[] = frameworkPacks().map(({ id, title }) =>
  defineCheck({
    name: `card-complete-${id}`,
    title: `Model card complete for ${title}`,
    describe: `The card answers every mandatory requirement of ${title}, but for what the approval itself brings.`,
    permission: 'card:update',
    framework: id,
    judge: ({ frameworks }) => {
      const gaps = frameworks.get(id);
      return gaps ? judgeGaps(gaps) : finding('MISSING', `The card was not held against ${title}`);
    },
  }),
);
