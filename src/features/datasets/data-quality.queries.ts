import { z } from 'zod';
import type { DataExpectation, QualityReport } from '../../kernel/data-expectations.js';
import { notFound } from '../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery } from '../../kernel/query.js';
import { DataQualityCheck, type QualityState, type QualityVerdict } from './data-quality-check.entity.js';

/** A check of data as shown. */
export interface QualityView {
  readonly id: string;
  readonly datasetVersionId: string;
  readonly sha256: string;
  readonly expectations: readonly DataExpectation[];
  readonly expectationsSha256: string;
  readonly state: QualityState;
  readonly message: string;
  readonly verdict: QualityVerdict | null;
  readonly report: QualityReport | null;
  readonly jobId: string;
  readonly requestedBy: string;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

export const listQualityChecks = defineQuery({
  name: 'dataQuality.list',
  describe: 'Checks of the data of a version of a data set, newest first.',
  permission: 'dataset:read',
  input: z.object({ datasetVersionId: z.uuid(), ...pageInput }),
  handle: async ({ db, input }): Promise<Page<QualityView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<QualityView>(
      `select id, dataset_version_id as "datasetVersionId", sha256, expectations,
              expectations_sha256 as "expectationsSha256", state, message, verdict, report, job_id as "jobId",
              requested_by as "requestedBy", created_at as "createdAt", finished_at as "finishedAt"
         from data_quality_check
        where dataset_version_id = $1 and ($2::uuid is null or id < $2::uuid) order by id desc limit $3`,
      [input.datasetVersionId, after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

/** What the job works on. */
export const qualityTarget = defineQuery({
  name: 'dataQuality.target',
  describe: 'A check of data, for the job.',
  permission: 'dataset:read',
  input: z.object({ checkId: z.uuid() }),
  handle: async ({ db, input }): Promise<DataQualityCheck> => {
    const found = await db.findOne(DataQualityCheck, { id: input.checkId });
    if (!found) throw notFound('The check');
    return found;
  },
});

/** The check that waits for a job, with why the job ended; null when it was for something else. */
export const qualityOfJob = defineQuery({
  name: 'dataQuality.ofJob',
  describe: 'The unfinished check of a job.',
  permission: 'dataset:read',
  input: z.object({ jobId: z.uuid() }),
  handle: async ({ db, input }): Promise<{ checkId: string; reason: string } | null> => {
    const [row] = await db.sql<{ checkId: string; reason: string }>(
      `select q.id as "checkId", coalesce(j.message, '') as reason
         from data_quality_check q left join job j on j.id = q.job_id
        where q.job_id = $1 and q.state = 'QUEUED'`,
      [input.jobId],
    );
    return row ?? null;
  },
});
