import { defineCheck, finding } from '../check-rule.js';

export const cardComplete = defineCheck({
  name: 'card-complete',
  title: 'Model card complete',
  describe: 'Every governed field of the card is known.',
  permission: 'card:update',
  judge: ({ card }) => {
    const unknown = Object.entries(card)
      .filter(([, field]) => field.source === 'UNKNOWN')
      .map(([name]) => name);
    if (unknown.length === 0) return finding('PASS', 'Every governed field of the card is known');
    return finding('MISSING', `The card does not say ${unknown.join(', ')}; fill it with updateCard`);
  },
});
