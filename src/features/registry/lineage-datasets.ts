import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';
import { invalidInput } from '../../kernel/errors.js';
import { knownData } from '../datasets/index.js';
import type { LineageDataset } from './model-version.entity.js';

/** Data that a version was made from, as it is told: a registered version of a data set, or a name and a digest. */
export const lineageDataset = z
  .object({
    name: z.string().trim().min(1).max(200).nullish(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')
      .nullish(),
    role: z.string().trim().min(1).max(50).describe('What it was used for: train, calibration, heldout.'),
    datasetVersionId: z
      .uuid()
      .nullish()
      .describe('A registered version; its name and digest are taken from there.'),
  })
  .refine(
    ({ name, sha256, datasetVersionId }) => Boolean(datasetVersionId) || (Boolean(name) && Boolean(sha256)),
    'needs a datasetVersionId, or a name and a sha256',
  );

type Told = z.output<typeof lineageDataset>;

const unknown = (index: number, message: string) =>
  invalidInput(`A data set of the lineage ${message}`, [
    { path: `datasets.${String(index)}.datasetVersionId`, message },
  ]);

/** Fills in what was told by id; refuses what is not there, and a digest that is another one. */
export const resolveDatasets = async (db: ReadDb, told: readonly Told[]): Promise<LineageDataset[]> => {
  const ids = told.flatMap(({ datasetVersionId }) => datasetVersionId ?? []);
  const known = new Map((ids.length === 0 ? [] : await knownData(db, ids)).map((one) => [one.id, one]));
  return told.map(({ name, sha256, role, datasetVersionId }, index) => {
    if (!datasetVersionId) return { name: name ?? '', sha256: sha256 ?? '', role };
    const found = known.get(datasetVersionId);
    if (!found) throw unknown(index, 'was not found in this workspace, or has no content yet');
    if (sha256 && sha256 !== found.sha256) throw unknown(index, `has the digest ${found.sha256}`);
    return { name: name ?? found.name, sha256: found.sha256, role, datasetVersionId };
  });
};
