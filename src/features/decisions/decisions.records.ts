import { z } from 'zod';
import { defineRecording } from '../../kernel/record.js';
import { acceptDecisions } from './accept.js';
import { runDecisions } from './decisions.jobs/index.js';
import { recordElsewhere, elsewhereDecision } from './record-elsewhere.js';
import { decisionRequest, endpointSlug, mostRequests } from './request-schema.js';

/*
 * The doors for machines by the million. They record telemetry and are no commands: an entry in the trail for each
 * request would double what is written and prove nothing more, because the entry of the batch in which a run ends
 * holds the Merkle root over the run, and the run's chain begins with the sealed request. What is refused has no run,
 * so that is an entry of its own.
 */

/** Asks for one decision. */
export const requestDecision = defineRecording({
  name: 'decision.request',
  describe: 'Asks an endpoint for a decision about one person; the answer comes when the pipeline has run.',
  permission: 'decision:request',
  input: z.object({ endpoint: endpointSlug, ...decisionRequest.shape }),
  about: ({ endpoint }) => ({ endpoint, requests: 1 }),
  write: async (context, { endpoint, ...request }, actor) => {
    const [accepted] = await acceptDecisions(context, actor, endpoint, [request], runDecisions);
    if (!accepted) throw new Error('A request was neither accepted nor refused');
    return { result: accepted, audit: null };
  },
  together: {
    key: ({ endpoint }) => endpoint,
    write: async (context, inputs, actor) => {
      const requests = inputs.map(({ endpoint: _, ...request }) => request);
      const endpoint = inputs[0]?.endpoint ?? '';
      return { result: await acceptDecisions(context, actor, endpoint, requests, runDecisions), audit: null };
    },
  },
});

/** Asks for many decisions at once; all of them are accepted, or none. */
export const requestDecisions = defineRecording({
  name: 'decision.requestMany',
  describe: 'Asks an endpoint for up to 500 decisions at once; all of them are accepted, or none.',
  permission: 'decision:request',
  input: z.object({
    endpoint: endpointSlug,
    requests: z
      .array(decisionRequest.meta({ id: 'DecisionRequestItem' }))
      .min(1)
      .max(mostRequests),
  }),
  about: ({ endpoint, requests }) => ({ endpoint, requests: requests.length }),
  write: async (context, { endpoint, requests }, actor) => ({
    result: await acceptDecisions(context, actor, endpoint, requests, runDecisions),
    audit: null,
  }),
});

/** Records decisions that another platform made, in the same ledger. */
export const recordDecisions = defineRecording({
  name: 'decision.record',
  describe: 'Records up to 500 decisions that were made elsewhere; they stand in the same ledger.',
  permission: 'decision:record',
  input: z.object({
    endpoint: endpointSlug,
    decisions: z
      .array(elsewhereDecision.meta({ id: 'ElsewhereDecision' }))
      .min(1)
      .max(mostRequests),
  }),
  about: ({ endpoint, decisions }) => ({ endpoint, decisions: decisions.length }),
  write: (context, { endpoint, decisions }, actor) => recordElsewhere(context, actor, endpoint, decisions),
});
