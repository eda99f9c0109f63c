import { z } from 'zod';
import { qualityReport } from '../../kernel/data-expectations.js';

/** What the process that checks a file says; it may have been taken over, so its words are checked. */
export const qualityAnswer = z.discriminatedUnion('accepted', [
  z.object({ accepted: z.literal(true), report: qualityReport }),
  z.object({ accepted: z.literal(false), reason: z.string().min(1).max(2000) }),
]);

/** The report on a file, or a sentence that says why it has none. */
export type QualityAnswer = z.output<typeof qualityAnswer>;
