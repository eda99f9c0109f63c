import { z } from 'zod';
import { createGatherer } from '../../../kernel/gather.js';
import { giveUpJob } from '../../../kernel/give-up.js';
import { defineJob, defineReaction } from '../../../kernel/job.js';
import { batchSize } from '../accept.js';
import { advance, type AdvanceContext } from './advance.js';
import { failAbandoned } from './fail-abandoned.js';

interface Carried {
  readonly ids: readonly string[];
  readonly context: AdvanceContext;
}

const gatherer = createGatherer<Carried, PromiseSettledResult<void>>({
  // One batch of a workspace at a time per process: what comes meanwhile goes together in the next.
  atOnce: 1,
  most: batchSize,
  sizeOf: ({ ids }) => ids.length,
  perform: async (carried) => {
    const together = await settled(carried);
    if (together.status === 'fulfilled' || carried.length === 1) return carried.map(() => together);
    // One that fails is not to take the others with it, try after try, until all of them are given up.
    const apart = [];
    for (const one of carried) apart.push(one.context.signal.aborted ? together : await settled([one]));
    return apart;
  },
});

const settled = async (carried: readonly [Carried, ...Carried[]]): Promise<PromiseSettledResult<void>> => {
  const [{ context }] = carried;
  const signal = AbortSignal.any(carried.map((one) => one.context.signal));
  const ids = carried.flatMap((one) => one.ids);
  const [result] = await Promise.allSettled([advance({ ...context, signal }, ids)]);
  return result;
};

/** Carries accepted decisions through the five agents; also goes on with those that a person has decided. */
export const runDecisions = defineJob({
  name: 'decisions.run',
  queue: 'decisions',
  payload: z.object({ decisionIds: z.array(z.uuid()).min(1).max(batchSize) }),
  attempts: 6,
  timeoutMs: 60_000,
  handle: async (context) => {
    const { workspaceId, organizationId } = context.actor;
    const key = `${workspaceId ?? ''}/${organizationId ?? ''}`;
    const result = await gatherer.add(key, { ids: context.payload.decisionIds, context });
    if (result.status === 'rejected') throw result.reason;
  },
});

/** When a job failed for the last time, the decisions it carried say so instead of waiting for ever. */
export const endAbandoned = defineReaction({
  name: 'decisions.endAbandoned',
  follows: [giveUpJob],
  attempts: 5,
  handle: async ({ payload, record, actor }) => {
    const jobIds = payload.subjects.filter(({ kind }) => kind === 'job').map(({ id }) => id);
    if (actor.workspaceId === null || jobIds.length === 0) return;
    await record(actor, {
      name: 'decision.abandon',
      permission: 'decision:run',
      write: (context) => failAbandoned(context, jobIds),
    });
  },
});
