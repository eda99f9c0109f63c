import { z } from 'zod';
import { AppError } from '../../kernel/errors.js';
import type { Permission } from '../../kernel/permissions.js';
import { pageInput } from '../../kernel/page.js';
import { versionState } from './model-version.entity.js';
import { modelKind } from './registered-model.entity.js';

/** How a metric is compared. */
export const comparison = z
  .enum(['LESS', 'AT_MOST', 'EQUAL', 'AT_LEAST', 'GREATER'])
  .meta({ id: 'MetricComparison' });

/** Whether what was deleted is looked for too; only those who read the trail see it. */
export const deletion = z.enum(['WITHOUT', 'WITH', 'ONLY']).meta({ id: 'DeletedFilter' });

const name = z.string().trim().min(1).max(200);
const tag = z.object({
  key: z.string().min(1).max(250),
  value: z.string().max(8000).nullish().describe('Left out: any value.'),
});

const common = {
  name: name.nullish().describe('The name of the model, as it reads.'),
  text: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .nullish()
    .describe('Words, or beginnings of words, that names and descriptions hold; all of them.'),
  tags: z.array(tag).max(10).default([]),
  alias: name.nullish(),
  useCaseId: z.uuid().nullish(),
  createdBy: z.string().min(1).max(200).nullish(),
  createdFrom: z.date().nullish(),
  createdBefore: z.date().nullish(),
  deleted: deletion.default('WITHOUT'),
};

const metric = z.object({ name: z.string().min(1).max(250), is: comparison, value: z.number() });

/** What versions are looked for by; everything that is given must hold. */
export const versionFilter = z.object({
  ...common,
  modelId: z.uuid().nullish(),
  metrics: z.array(metric).max(10).default([]),
  state: versionState.nullish(),
  stage: name.nullish(),
  datasetSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')
    .nullish()
    .describe('Versions that were made from data with this digest.'),
});

/** What models are looked for by; everything that is given must hold. */
export const modelFilter = z.object({ ...common, kind: modelKind.nullish() });

/** What versions are looked for by. */
export type VersionFilter = z.output<typeof versionFilter>;
/** What models are looked for by. */
export type ModelFilter = z.output<typeof modelFilter>;
export const versionSearch = z.object({ filter: versionFilter, ...pageInput });
export const modelSearch = z.object({ filter: modelFilter, ...pageInput });

/** Tombstones are history, and history is for those who read the trail. */
export const requireMaySeeDeleted = (
  { deleted }: { readonly deleted: z.output<typeof deletion> },
  may: (permission: Permission) => boolean,
): void => {
  if (deleted === 'WITHOUT' || may('audit:read')) return;
  throw new AppError(
    'FORBIDDEN',
    'What was deleted is shown to those who read the trail: it needs audit:read',
    {
      rule: 'permission',
      permission: 'audit:read',
    },
  );
};
