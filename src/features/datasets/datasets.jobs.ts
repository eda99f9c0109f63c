import { z } from 'zod';
import { profileData } from '../../compute/profile/index.js';
import { checkQuality } from '../../compute/quality/index.js';
import { AppError } from '../../kernel/errors.js';
import { giveUpJob } from '../../kernel/give-up.js';
import { storageFault } from '../../kernel/input.js';
import { defineJob, defineReaction } from '../../kernel/job.js';
import { recordProfile } from './datasets.commands/profile.js';
import { recordQuality } from './datasets.commands/record-quality.js';
import { qualityOfJob, qualityTarget } from './data-quality.queries.js';
import { profileOfJob, profileTarget } from './datasets.queries.js';

const payload = z.object({ datasetVersionId: z.uuid() });

/** What came out of a stranger's file, as a sentence that can be stored and read. */
const printable = (text: string): string => text.replace(/\p{C}/gu, ' ').slice(0, 2000);

/** Counts what is in uploaded data. Nothing of what it reads is trusted; twice is the same as once. */
export const profileDataset = defineJob({
  name: 'datasets.profile',
  queue: 'heavy',
  payload,
  attempts: 3,
  timeoutMs: 10 * 60_000,
  visible: true,
  handle: async ({ payload: { datasetVersionId }, ask, run, actor, outside, signal, progress }) => {
    const version = await ask(profileTarget, actor, { datasetVersionId }).catch((error: unknown) => {
      // Deleted meanwhile: nothing is left to do.
      if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
      throw error;
    });
    const sha256 = version?.sha256 ?? null;
    if (!version || sha256 === null) return;
    const { protectedAttributes } = version;
    await progress(0, 'Counting');
    const answer = await outside.artifacts.withFile(sha256, (path) =>
      profileData(path, { protectedAttributes, signal }),
    );
    const fault = answer.accepted ? storageFault(answer.profile) : answer.reason;
    const profile = answer.accepted && fault === null ? answer.profile : null;
    const message = profile ? 'Profiled' : printable(`The data has no profile: ${fault ?? ''}`);
    await run(recordProfile, actor, { datasetVersionId, sha256, profile, message });
    await progress(1, message);
  },
});

/** A version whose profile was given up does not wait for ever: it says why it has none. */
export const noteFailedProfile = defineReaction({
  name: 'datasets.noteFailedProfile',
  follows: [giveUpJob],
  attempts: 8,
  handle: async ({ payload: { subjects }, ask, run, actor }) => {
    for (const { id: jobId } of subjects) {
      const found = await ask(profileOfJob, actor, { jobId });
      if (!found) continue;
      const message = printable(`The data has no profile: ${found.reason}`);
      const { datasetVersionId, sha256 } = found;
      await run(recordProfile, actor, { datasetVersionId, sha256, profile: null, message });
    }
  },
});

/** Holds expectations against uploaded data, in one statement of the engine; twice is the same as once. */
export const checkData = defineJob({
  name: 'datasets.check',
  queue: 'heavy',
  payload: z.object({ checkId: z.uuid() }),
  attempts: 3,
  timeoutMs: 10 * 60_000,
  visible: true,
  handle: async ({ payload: { checkId }, ask, run, actor, outside, signal, progress, clock }) => {
    const check = await ask(qualityTarget, actor, { checkId });
    if (check.state !== 'QUEUED') return;
    const { expectations, sha256 } = check;
    await progress(0, 'Checking');
    const now = clock.now();
    const answer = await outside.artifacts.withFile(sha256, (path) =>
      checkQuality(path, { expectations, now, signal }),
    );
    const fault = answer.accepted ? storageFault(answer.report) : answer.reason;
    const report = answer.accepted && fault === null ? answer.report : null;
    const message = report ? 'Checked' : printable(`The data cannot be checked: ${fault ?? ''}`);
    await run(recordQuality, actor, { checkId, report, message });
    await progress(1, message);
  },
});

/** A check that was given up does not wait for ever. */
export const noteFailedCheck = defineReaction({
  name: 'datasets.noteFailedCheck',
  follows: [giveUpJob],
  attempts: 8,
  handle: async ({ payload: { subjects }, ask, run, actor }) => {
    for (const { id: jobId } of subjects) {
      const found = await ask(qualityOfJob, actor, { jobId });
      if (!found) continue;
      const message = printable(`The data cannot be checked: ${found.reason}`);
      await run(recordQuality, actor, { checkId: found.checkId, report: null, message });
    }
  },
});
