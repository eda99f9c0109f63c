import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalBytes } from '../../../kernel/audit.js';
import { defineCommand } from '../../../kernel/command.js';
import { dataExpectations } from '../../../kernel/data-expectations.js';
import { AppError } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { DataQualityCheck } from '../data-quality-check.entity.js';
import { checkData } from '../datasets.jobs.js';
import { datasetVersionOr404 } from './find.js';

const digestOf = (value: unknown): string => createHash('sha256').update(canonicalBytes(value)).digest('hex');

export const checkDataQuality = defineCommand({
  name: 'datasetVersion.check',
  describe:
    'Holds expectations against the content of a version of a data set, in one statement over the file. The answer has counts and numbers of rows, and never a value.',
  permission: 'dataset:check',
  input: z.object({
    datasetVersionId: z.uuid(),
    expectations: dataExpectations.describe(
      'Each { kind, column, … }: COLUMN, TYPE, NOT_NULL, UNIQUE, RANGE, IN_SET, REGEX, REFERS_TO, ROWS, FRESH, MEAN, QUANTILE; see docs/datasets.md.',
    ),
  }),
  target: (tx, input) => datasetVersionOr404(tx, input.datasetVersionId),
  handle: async ({ tx, actor, input, target, now, enqueue }) => {
    const { sha256, source } = target;
    if (sha256 === null || source !== 'UPLOADED') {
      throw new AppError('PRECONDITION_FAILED', 'The content of this version is not stored here', {
        rule: 'dataset-content',
        source,
      });
    }
    const id = newId();
    const subject = { kind: 'dataQualityCheck', id };
    const jobId = enqueue(checkData, { checkId: id }, { subject });
    const expectationsSha256 = digestOf(input.expectations);
    await tx.insert(DataQualityCheck, {
      ...{ id, jobId, sha256, expectationsSha256 },
      expectations: input.expectations,
      workspaceId: target.workspaceId,
      datasetVersionId: target.id,
      state: 'QUEUED',
      message: 'Waiting to be checked',
      requestedBy: actor.id,
      createdAt: now,
    });
    return {
      result: { id, jobId },
      audit: {
        subject,
        changes: { state: { from: null, to: 'QUEUED' } },
        facts: {
          datasetVersionId: target.id,
          sha256,
          expectationsSha256,
          expectations: input.expectations.length,
        },
      },
    };
  },
});
