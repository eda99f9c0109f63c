import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import { ModelVersion, artifactPath, closeWithFiles, lockVersion } from '../../registry/index.js';
import { requireDistinct } from './files-of.js';

const file = z.object({
  path: artifactPath,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(0),
});

export const keepFiles = defineCommand({
  name: 'upstream.keepFiles',
  describe: 'Closes a version that was taken over with the files that were fetched, and has them checked.',
  permission: 'upstream:take',
  input: z.object({ versionId: z.uuid(), files: z.array(file).min(1).max(1000) }),
  target: (tx, input) => lockVersion(tx, input.versionId),
  handle: async ({ tx, input, target: version, now, enqueue }) => {
    const result = { id: version.id };
    if (version.submittedAt !== null) return { result, audit: nothingChanged };
    const files = input.files.map((one) => ({
      ...one,
      mediaType: 'application/octet-stream',
      createdBy: version.createdBy,
    }));
    requireDistinct(files);
    const audit = await closeWithFiles({ tx, now, enqueue }, version, files);
    await tx.sql(`update upstream_copy set files = 'KEPT', updated_at = $2 where version_id = $1`, [
      version.id,
      now,
    ]);
    return { result, audit };
  },
});

export const giveUpFiles = defineCommand({
  name: 'upstream.giveUpFiles',
  describe: 'Refuses a version that was taken over, because its files cannot be fetched.',
  permission: 'upstream:take',
  input: z.object({ versionId: z.uuid(), message: z.string().min(1).max(2000) }),
  target: (tx, input) => lockVersion(tx, input.versionId),
  handle: async ({ tx, input: { message }, target: version, now }) => {
    const { id, state } = version;
    if (version.submittedAt !== null) return { result: { id }, audit: nothingChanged };
    await tx.update(ModelVersion, { id }, { state: 'REJECTED', stateMessage: message, submittedAt: now });
    await tx.sql(
      `update upstream_copy set files = 'FAILED', message = $2, updated_at = $3 where version_id = $1`,
      [id, message, now],
    );
    return {
      result: { id },
      audit: {
        subject: { kind: 'modelVersion', id },
        changes: { state: { from: state, to: 'REJECTED' } },
        facts: { message },
      },
    };
  },
});
