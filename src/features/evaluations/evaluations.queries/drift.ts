import { z } from 'zod';
import { mergeCounts } from '../../../analysis/index.js';
import type {
  BaselineColumn,
  DriftBaseline as Document,
  DriftWindow,
} from '../../../kernel/drift-baseline.js';
import { notFound } from '../../../kernel/errors.js';
import { defineQuery } from '../../../kernel/query.js';
import { useCaseOr404 } from '../../usecases/index.js';
import { versionOr404 } from '../../registry/index.js';
import { DriftBaseline } from '../drift-baseline.entity.js';
import { currentEvaluationPolicy } from '../evaluation-policy.js';
import type { DriftRow } from '../evidence-result.js';
import { driftRows } from '../results/drift.js';

/** A baseline as shown. */
export interface BaselineView {
  readonly id: string;
  readonly evaluationId: string;
  readonly versionId: string;
  readonly versionDigest: string;
  readonly useCaseId: string;
  readonly datasetSha256: string;
  readonly sha256: string;
  readonly rows: number;
  readonly columns: readonly { readonly name: string; readonly kind: string; readonly bins: number }[];
  /** Whether performance can be expected without outcomes. */
  readonly calibrated: boolean;
  readonly createdAt: Date;
}

const viewOf = (one: DriftBaseline): BaselineView => ({
  id: one.id,
  evaluationId: one.evaluationId,
  versionId: one.versionId,
  versionDigest: one.versionDigest,
  useCaseId: one.useCaseId,
  datasetSha256: one.datasetSha256,
  sha256: one.sha256,
  rows: one.rowCount,
  columns: one.document.columns.map(({ name, bins, counts }) => ({
    name,
    kind: bins.kind,
    bins: counts.bins.length,
  })),
  calibrated: one.document.calibration !== null,
  createdAt: one.createdAt,
});

export const listBaselines = defineQuery({
  name: 'drift.baselines',
  describe: 'The frozen baselines of a version in a use case, newest first.',
  permission: 'evidence:read',
  input: z.object({ versionId: z.uuid(), useCaseId: z.uuid() }),
  handle: async ({ db, input }): Promise<BaselineView[]> => {
    const version = await versionOr404(db, input.versionId);
    await useCaseOr404(db, input.useCaseId);
    const where = { versionId: version.id, useCaseId: input.useCaseId };
    return (await db.find(DriftBaseline, { where, order: { id: 'DESC' }, take: 100 })).map(viewOf);
  },
});

/** One period of a series. */
export interface DriftPoint {
  readonly evaluationId: string | null;
  readonly observedAt: Date | null;
  readonly rows: number;
  readonly columns: readonly DriftRow[];
}

/** How the columns of a baseline moved. */
export interface DriftSeries {
  readonly baselineId: string;
  readonly points: readonly DriftPoint[];
  /** All periods added up; null when there is none. */
  readonly whole: DriftPoint | null;
}

interface WindowRow {
  readonly evaluationId: string;
  readonly observedAt: Date;
  readonly rows: number;
  readonly counts: DriftWindow;
}

const mostWindows = 400;

const merged = (columns: readonly BaselineColumn[], windows: readonly WindowRow[]): DriftWindow =>
  columns.map(({ name, bins }) => {
    const parts = windows.flatMap(({ counts }) => counts.find((one) => one.name === name)?.counts ?? []);
    const whole = mergeCounts(bins, parts);
    return { name, counts: { ...whole, bins: [...whole.bins] } };
  });

const seriesOf = (baselineId: string, document: Document, windows: readonly WindowRow[]): DriftSeries => {
  const settings = currentEvaluationPolicy().drift;
  const points = windows.map(({ evaluationId, observedAt, rows, counts }) => ({
    evaluationId,
    observedAt,
    rows,
    columns: driftRows(document, counts, settings),
  }));
  const rows = windows.reduce((sum, window) => sum + window.rows, 0);
  const whole =
    windows.length === 0
      ? null
      : {
          evaluationId: null,
          observedAt: null,
          rows,
          columns: driftRows(document, merged(document.columns, windows), settings),
        };
  return { baselineId, points, whole };
};

export const driftSeries = defineQuery({
  name: 'drift.series',
  describe:
    'How the columns of a baseline moved from period to period, and over all of them; at most 400 periods.',
  permission: 'evidence:read',
  input: z.object({
    baselineId: z.uuid(),
    from: z.date().nullish(),
    to: z.date().nullish(),
    columns: z.array(z.string().min(1).max(300)).max(50).nullish(),
  }),
  handle: async ({ db, input }): Promise<DriftSeries> => {
    const baseline = await db.findOne(DriftBaseline, { id: input.baselineId });
    if (!baseline) throw notFound('The baseline');
    const windows = await db.sql<WindowRow>(
      `select * from (
         select evaluation_id as "evaluationId", observed_at as "observedAt", row_count::float8 as rows, counts
           from drift_window
          where baseline_id = $1 and ($2::timestamptz is null or observed_at >= $2)
            and ($3::timestamptz is null or observed_at < $3)
          order by observed_at desc, id desc limit $4) newest
        order by "observedAt"`,
      [baseline.id, input.from ?? null, input.to ?? null, mostWindows],
    );
    const wanted = input.columns ?? null;
    const { document } = baseline;
    const columns = document.columns.filter(({ name }) => wanted?.includes(name) ?? true);
    return seriesOf(baseline.id, { ...document, columns }, windows);
  },
});
