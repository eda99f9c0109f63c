import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import { ModelVersion } from '../model-version.entity.js';
import { lockVersion } from './find.js';

const verdict = z.enum(['READY', 'REJECTED']);

/** What intake found; run by the intake job only. */
export const recordIntake = defineCommand({
  name: 'modelVersion.recordIntake',
  describe: 'Records what intake found.',
  permission: 'modelVersion:recordIntake',
  input: z.object({
    versionId: z.uuid(),
    state: verdict,
    message: z.string().max(2000),
    signature: z.record(z.string(), z.unknown()).nullable(),
    intake: z.record(z.string(), z.unknown()),
  }),
  target: (tx, input) => lockVersion(tx, input.versionId),
  handle: async ({ tx, input, target: version }) => {
    const id = version.id;
    if (version.submittedAt === null || version.state !== 'PENDING_INTAKE') {
      return { result: { id }, audit: nothingChanged };
    }
    const { state, message, signature } = input;
    await tx.update(ModelVersion, { id }, { state, stateMessage: message, signature, intake: input.intake });
    return {
      result: { id },
      audit: {
        subject: { kind: 'modelVersion', id },
        changes: { state: { from: version.state, to: state } },
        facts: { message, digest: version.digest },
      },
    };
  },
});
