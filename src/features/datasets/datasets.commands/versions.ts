import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import { conflict } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import type { Tx } from '../../../kernel/db.js';
import { Dataset } from '../dataset.entity.js';
import { DatasetVersion } from '../dataset-version.entity.js';
import { profileDataset } from '../datasets.jobs.js';
import { lockDataset, lockDatasetVersion, requireOpen } from './find.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
const text = z.string().trim().min(1);

/** Addresses that do something by themselves where somebody follows them. */
const active: ReadonlySet<string> = new Set(['javascript:', 'vbscript:', 'data:', 'blob:']);

/** Names of parts of an address that let in whoever has it: signatures of object stores, and tokens. */
const lettingIn =
  /^(?:sig|signature|x-(?:amz|goog)-(?:signature|security-token)|token|access_token|api_?key)$/i;

/** Whether whoever reads the address could use it. A name before the host is a token on the web, elsewhere a container. */
const holdsSecret = ({ protocol, username, password, searchParams }: URL): boolean =>
  password !== '' ||
  (username !== '' && /^https?:$/.test(protocol)) ||
  [...searchParams.keys()].some((name) => lettingIn.test(name));

const parsed = (uri: string): URL | null => (URL.canParse(uri) ? new URL(uri) : null);

/** An address that can be shown: with a scheme, and without anything in it that lets somebody in. */
const address = z
  .string()
  .trim()
  .max(2000)
  .refine((uri) => {
    const protocol = /^[a-z][a-z0-9+.-]*:/.test(uri) ? parsed(uri)?.protocol : undefined;
    return protocol !== undefined && !active.has(protocol);
  }, 'must be an address such as s3://data/x.csv')
  .refine((uri) => {
    const url = parsed(uri);
    return url === null || !holdsSecret(url);
  }, 'must not hold a password, a token or a signature');

/** A count of bytes or rows, which may be more than GraphQL's whole numbers hold. */
const count = z.number().min(0).refine(Number.isSafeInteger, 'must be a whole number');

const columns = z
  .array(z.object({ name: text.max(300), type: text.max(300) }))
  .min(1)
  .max(2000);

const attributes = z
  .array(text.max(300))
  .max(50)
  .refine((names) => new Set(names).size === names.length, 'names a column twice');

const documentation = {
  description: z.string().trim().max(10_000).nullish(),
  licence: text.max(200).nullish().describe('An SPDX identifier, or the name of the contract.'),
  provenance: text.max(10_000).nullish().describe('Where it comes from, and how it was gathered.'),
  protectedAttributes: attributes
    .nullish()
    .describe('Columns that tell to which group a person belongs: sex, age, origin.'),
};

const reference = z.object({
  uri: address,
  sha256,
  bytes: count.nullish(),
  rows: count.nullish(),
  columns: columns.nullish(),
});

/** The same bytes are the same version: whoever sends them again is led to it. */
const requireNewContent = async (tx: Tx, datasetId: string, digest: string): Promise<void> => {
  const [same] = await tx.sql<{ id: string; version: number }>(
    'select id, version from dataset_version where dataset_id = $1 and sha256 = $2 and deleted_at is null',
    [datasetId, digest],
  );
  if (!same) return;
  throw conflict(`Version ${String(same.version)} of the data set has this content already`, {
    rule: 'same-content',
    datasetVersionId: same.id,
    version: same.version,
  });
};

type Documented = Pick<DatasetVersion, 'description' | 'licence' | 'provenance' | 'protectedAttributes'>;

const undocumented: Documented = {
  description: '',
  licence: null,
  provenance: null,
  protectedAttributes: [],
};

/** What was given, and where it was not, what is there. */
const documented = (target: Documented, input: z.output<z.ZodObject<typeof documentation>>): Documented => ({
  description: input.description ?? target.description,
  licence: input.licence ?? target.licence,
  provenance: input.provenance ?? target.provenance,
  protectedAttributes: input.protectedAttributes ?? target.protectedAttributes,
});

const contentOf = (elsewhere: z.output<typeof reference> | null) => {
  if (!elsewhere) return { sha256: null, uri: null, bytes: null, rowCount: null, columns: null };
  const { sha256: digest, uri, bytes, rows, columns: named } = elsewhere;
  return { sha256: digest, uri, bytes: bytes ?? null, rowCount: rows ?? null, columns: named ?? null };
};

export const createDatasetVersion = defineCommand({
  name: 'datasetVersion.create',
  describe:
    'Opens the next version of a data set. Its content is uploaded next, or stands elsewhere and is named by digest.',
  permission: 'dataset:create',
  input: z.object({
    datasetId: z.uuid(),
    ...documentation,
    reference: reference.nullish().describe('For content that stays where it is.'),
  }),
  target: (tx, input) => lockDataset(tx, input.datasetId),
  handle: async ({ tx, actor, input, target, now }) => {
    const id = newId();
    const version = target.lastVersion + 1;
    const elsewhere = input.reference ?? null;
    if (elsewhere) await requireNewContent(tx, target.id, elsewhere.sha256);
    await tx.update(Dataset, { id: target.id }, { lastVersion: version });
    const said = documented(undocumented, input);
    const content = contentOf(elsewhere);
    await tx.insert(DatasetVersion, {
      ...said,
      ...content,
      id,
      workspaceId: target.workspaceId,
      datasetId: target.id,
      version,
      source: elsewhere ? 'REFERENCED' : 'UPLOADED',
      profileState: 'NONE',
      profileMessage: elsewhere ? 'The content stands elsewhere' : 'Waiting for content',
      createdBy: actor.id,
      createdAt: now,
      registeredAt: elsewhere ? now : null,
    });
    return {
      result: { id },
      audit: {
        subject: { kind: 'datasetVersion', id },
        changes: { version: { from: null, to: version }, sha256: { from: null, to: content.sha256 } },
        facts: { datasetId: target.id, ...said, uri: content.uri },
      },
    };
  },
});

/** What was counted before does not count any more. */
const queued = (jobId: string | null) =>
  ({
    profile: null,
    profileState: 'QUEUED',
    profileMessage: 'Waiting to be profiled',
    profileJobId: jobId,
  }) as const;

/** Writes down what was stored; run by the upload route only, which knows that the content is there. */
export const recordDatasetContent = defineCommand({
  name: 'datasetVersion.upload',
  describe: 'Gives a version of a data set its content, once; its profile is computed next.',
  permission: 'dataset:create',
  input: z.object({ datasetVersionId: z.uuid(), sha256, bytes: z.int().min(0) }),
  target: (tx, input) => lockDatasetVersion(tx, input.datasetVersionId),
  handle: async ({ tx, input, target, now, enqueue }) => {
    const { id } = target;
    if (target.sha256 === input.sha256) {
      return { result: { id, sha256: input.sha256, jobId: target.profileJobId }, audit: nothingChanged };
    }
    requireOpen(target);
    await requireNewContent(tx, target.datasetId, input.sha256);
    const subject = { kind: 'datasetVersion', id };
    const jobId = enqueue(profileDataset, { datasetVersionId: id }, { subject });
    const content = { sha256: input.sha256, bytes: input.bytes, registeredAt: now };
    await tx.update(DatasetVersion, { id }, { ...content, ...queued(jobId) });
    return {
      result: { id, sha256: input.sha256, jobId },
      audit: {
        subject,
        changes: { sha256: { from: null, to: input.sha256 } },
        facts: { datasetId: target.datasetId, bytes: input.bytes },
      },
    };
  },
});

const documentedFields = ['description', 'licence', 'provenance', 'protectedAttributes'] as const;

export const documentDatasetVersion = defineCommand({
  name: 'datasetVersion.document',
  describe:
    'Says licence, provenance and protected attributes of a version. Other attributes have it profiled anew.',
  permission: 'dataset:update',
  input: z.object({ datasetVersionId: z.uuid(), ...documentation }),
  target: (tx, input) => lockDatasetVersion(tx, input.datasetVersionId),
  handle: async ({ tx, input, target, enqueue }) => {
    const { id } = target;
    const next = documented(target, input);
    const changed = documentedFields.filter(
      (name) => JSON.stringify(next[name]) !== JSON.stringify(target[name]),
    );
    if (changed.length === 0) return { result: { id }, audit: nothingChanged };
    const subject = { kind: 'datasetVersion', id };
    const stored = target.source === 'UPLOADED' && target.sha256 !== null;
    const anew = stored && changed.includes('protectedAttributes');
    const jobId = anew ? enqueue(profileDataset, { datasetVersionId: id }, { subject }) : null;
    await tx.update(DatasetVersion, { id }, { ...next, ...(anew ? queued(jobId) : {}) });
    const changes = changed.map((name) => [name, { from: target[name], to: next[name] }] as const);
    return { result: { id }, audit: { subject, changes: Object.fromEntries(changes) } };
  },
});

export const deleteDatasetVersion = defineCommand({
  name: 'datasetVersion.delete',
  describe: 'Deletes a version of a data set. The record stays, and what was made from it still names it.',
  permission: 'dataset:delete',
  input: z.object({ datasetVersionId: z.uuid() }),
  target: (tx, input) => lockDatasetVersion(tx, input.datasetVersionId),
  handle: async ({ tx, target, now }) => {
    await tx.update(DatasetVersion, { id: target.id }, { deletedAt: now });
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'datasetVersion', id: target.id },
        changes: { deletedAt: { from: null, to: now } },
        facts: { datasetId: target.datasetId, version: target.version, sha256: target.sha256 },
      },
    };
  },
});
