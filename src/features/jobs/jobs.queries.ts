import { z } from 'zod';
import { notFound } from '../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery } from '../../kernel/query.js';

export const jobState = z.enum(['QUEUED', 'RUNNING', 'DONE', 'FAILED']).meta({ id: 'JobState' });

/** Work that people wait for, as they see it. */
export interface JobView {
  readonly id: string;
  readonly name: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly state: z.output<typeof jobState>;
  readonly progress: number;
  readonly message: string;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

const columns = `id, name, subject_kind as "subjectKind", subject_id as "subjectId", state, progress::float8, message,
  attempts, created_at as "createdAt", started_at as "startedAt", finished_at as "finishedAt"`;

export const jobById = defineQuery({
  name: 'job.read',
  describe: 'Work that was asked for: how far it is, and how it ended.',
  permission: 'job:read',
  input: z.object({ id: z.uuid() }),
  handle: async ({ db, input }): Promise<JobView> => {
    const [row] = await db.sql<JobView>(`select ${columns} from job where id = $1`, [input.id]);
    if (!row) throw notFound('The job');
    return row;
  },
});

export const listJobs = defineQuery({
  name: 'job.list',
  describe: 'Work that was asked for, the latest first; of one subject, one state, or all.',
  permission: 'job:read',
  input: z.object({
    subjectId: z
      .string()
      .max(200)
      .nullish()
      .describe('What the work is about, such as the id of a model version.'),
    state: jobState.nullish(),
    ...pageInput,
  }),
  handle: async ({ db, input }): Promise<Page<JobView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<JobView>(
      `select ${columns} from job
        where ($1::text is null or subject_id = $1) and ($2::text is null or state = $2)
          and ($3::uuid is null or id < $3::uuid)
        order by id desc limit $4`,
      [input.subjectId ?? null, input.state ?? null, after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});
