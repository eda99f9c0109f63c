import { z } from 'zod';

/** Where a decision is. WAITING is for a person; REFUSED is the request, never the person. */
export const decisionState = z
  .enum(['ACCEPTED', 'RUNNING', 'WAITING', 'DONE', 'FAILED', 'REFUSED'])
  .meta({ id: 'DecisionState' });

/** One state of a decision. */
export type DecisionState = z.output<typeof decisionState>;

/** Where a decision was made: by the pipeline here, or on another platform that records it here. */
export const decisionSource = z.enum(['HERE', 'ELSEWHERE']).meta({ id: 'DecisionSource' });

const key = z.string().trim().min(1).max(200);

/** The name of the person to the caller. */
export const subjectRef = key.describe(
  'Your pseudonym for the person, the same in all of their requests; never a name, a number or an address. Without one, a new pseudonym is made.',
);

export const decisionRequest = z.object({
  idempotencyKey: key.describe(
    'The same key with the same request gives the same decision, however often it is sent.',
  ),
  subjectRef: subjectRef.nullish(),
  application: z
    .record(z.string().min(1).max(200), z.union([z.string().max(500), z.number(), z.null()]))
    .describe("The inputs of the model by name, as the version's signature lists them."),
  statedIncome: z
    .number()
    .min(0)
    .nullish()
    .describe('Income per year as stated. Without it, an income above the boundary counts as stated.'),
  note: z
    .string()
    .max(2000)
    .nullish()
    .describe('Free text of the applicant. It never decides; it may send the case to a person.'),
  consent: z
    .boolean()
    .describe('Whether the person agreed to automated processing. Without it nothing is done.'),
});

/** One request, as a caller sends it. */
export type DecisionRequestInput = z.output<typeof decisionRequest>;

export const endpointSlug = z.string().trim().min(1).max(63).describe('Short name of the endpoint.');

/** Most requests in one call. */
export const mostRequests = 500;
