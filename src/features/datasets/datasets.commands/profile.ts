import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import { DatasetVersion, type DatasetColumn } from '../dataset-version.entity.js';
import { lockDatasetVersion } from './find.js';

const column = z.object({ name: z.string(), type: z.string() });

/** What the profile says of the whole; the rest of it is kept as it came. */
const measured = z.looseObject({ rows: z.int().min(0), schema: z.array(column) });

const outcome = (profile: z.output<typeof measured> | null, message: string) => {
  if (profile === null) return { profileState: 'FAILED', profile: null, profileMessage: message } as const;
  const columns: readonly DatasetColumn[] = profile.schema;
  const found = { profile, columns, rowCount: profile.rows };
  return { profileState: 'DONE', profileMessage: message, ...found } as const;
};

export const recordProfile = defineCommand({
  name: 'datasetVersion.recordProfile',
  describe: 'Records what was counted in the data, or why it could not be.',
  permission: 'dataset:recordProfile',
  input: z.object({
    datasetVersionId: z.uuid(),
    sha256: z.string(),
    profile: measured.nullable(),
    message: z.string().min(1).max(2000),
  }),
  target: (tx, input) => lockDatasetVersion(tx, input.datasetVersionId),
  handle: async ({ tx, input, target }) => {
    const { id } = target;
    if (target.sha256 !== input.sha256) return { result: { id }, audit: nothingChanged };
    const next = outcome(input.profile, input.message);
    await tx.update(DatasetVersion, { id }, next);
    return {
      result: { id },
      audit: {
        subject: { kind: 'datasetVersion', id },
        changes: { profileState: { from: target.profileState, to: next.profileState } },
        facts: { sha256: input.sha256, message: input.message, rows: input.profile?.rows ?? null },
      },
    };
  },
});
