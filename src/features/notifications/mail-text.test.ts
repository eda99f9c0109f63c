import { expect, test } from 'vitest';
import { mailOf } from './mail-text.js';

test('a subject that is cut ends with a whole character', () => {
  const news = (title: string) => ({
    id: '1',
    event: 'COMMENT' as const,
    subjectKind: 'finding',
    subjectId: '2',
    title,
    lines: [],
    link: '/findings/2',
    createdAt: new Date(0),
  });
  const subjectOf = (title: string): string =>
    mailOf({ news: [news(title)], workspace: { name: 'Main' }, publicUrl: 'https://countersign.example' })
      .subject;

  for (const shift of [0, 1]) {
    const subject = subjectOf('x'.repeat(shift) + '🦜'.repeat(200));
    expect([subject.length, subject.isWellFormed()]).toEqual([200, true]);
  }
});
