import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';
import { notFound } from '../../kernel/errors.js';
import { defineQuery } from '../../kernel/query.js';
import { compareEntries, type Compared } from './differences.js';
import { versionSelect, type VersionView } from './registry.queries.js';

/** Two versions held against each other. What later features know is added by them. */
export interface VersionComparison {
  readonly from: VersionView;
  readonly to: VersionView;
  /** The use in which cards and evidence are compared. */
  readonly useCaseId: string | null;
  /** Whether both have the same files. */
  readonly sameContent: boolean;
  readonly metrics: Compared;
  readonly params: Compared;
  readonly signature: Compared;
  readonly datasets: Compared;
  readonly artifacts: Compared;
}

const placed = z.looseObject({ name: z.string() });
const described = z.looseObject({
  inputs: z.array(placed).default([]),
  outputs: z.array(placed).default([]),
  members: z.array(z.string()).default([]),
});
const several = z.looseObject({ files: z.array(described.extend({ path: z.string() })) });

/** Inputs, outputs and members by name, so that a difference names the input and not the whole. */
const signatureEntries = (signature: object | null): Record<string, unknown> => {
  const many = several.safeParse(signature);
  if (many.success) {
    return Object.fromEntries<unknown>(
      many.data.files.flatMap((file) =>
        Object.entries(signatureEntries(file)).map(([name, value]) => [`${file.path}: ${name}`, value]),
      ),
    );
  }
  const one = described.safeParse(signature);
  if (!one.success) return {};
  const { inputs, outputs, members } = one.data;
  return Object.fromEntries<unknown>([
    ...inputs.map(({ name, ...rest }) => [`input ${name}`, rest] as const),
    ...outputs.map(({ name, ...rest }) => [`output ${name}`, rest] as const),
    ...members.map((name) => [`member ${name}`, true] as const),
  ]);
};

const datasetEntries = ({ lineage }: VersionView): Record<string, unknown> =>
  Object.fromEntries(lineage.datasets.map(({ role, name, sha256 }) => [`${role} ${name}`, sha256]));

interface FileRow {
  readonly versionId: string;
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

const filesOf = (db: ReadDb, ids: readonly string[]): Promise<FileRow[]> =>
  db.sql<FileRow>(
    `select version_id as "versionId", path, sha256, bytes::float8 as bytes from artifact where version_id = any($1)`,
    [ids],
  );

const fileEntries = (rows: readonly FileRow[], id: string): Record<string, unknown> =>
  Object.fromEntries(
    rows
      .filter(({ versionId }) => versionId === id)
      .map(({ path, sha256, bytes }) => [path, { sha256, bytes }]),
  );

export const comparedPair = z.object({
  fromVersionId: z.uuid(),
  toVersionId: z.uuid(),
  useCaseId: z.uuid().nullish().describe('The use in which cards and evidence are compared.'),
});

export const compareVersions = defineQuery({
  name: 'modelVersion.compare',
  describe: 'Two versions, also of two models, held against each other: what was added, removed and changed.',
  permission: 'modelVersion:read',
  input: comparedPair,
  handle: async ({ db, input }): Promise<VersionComparison> => {
    const ids = [input.fromVersionId, input.toVersionId];
    const rows = await db.sql<VersionView>(`${versionSelect} where id = any($1) and deleted_at is null`, [
      ids,
    ]);
    const [from, to] = ids.map((id) => rows.find((row) => row.id === id));
    if (!from || !to) throw notFound('One of the versions');
    const files = await filesOf(db, ids);
    return {
      from,
      to,
      useCaseId: input.useCaseId ?? null,
      sameContent: from.digest !== null && from.digest === to.digest,
      metrics: compareEntries({ ...from.metrics }, { ...to.metrics }),
      params: compareEntries({ ...from.params }, { ...to.params }),
      signature: compareEntries(signatureEntries(from.signature), signatureEntries(to.signature)),
      datasets: compareEntries(datasetEntries(from), datasetEntries(to)),
      artifacts: compareEntries(fileEntries(files, from.id), fileEntries(files, to.id)),
    };
  },
});
