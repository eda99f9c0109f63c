import { z } from 'zod';
import {
  defineCommand,
  nothingChanged,
  type CommandContext,
  type CommandOutcome,
} from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { newId } from '../../../kernel/id.js';
import {
  addVersion,
  closeWithFiles,
  lockModel,
  lockVersion,
  type RegisteredModel,
} from '../../registry/index.js';
import { fetchFilesJob } from '../mlflow.jobs/fetch-files.js';
import {
  digestOfTold,
  keptVersion,
  versionFacts,
  type ToldVersion,
  type VersionFacts,
} from '../upstream/told.js';
import { parentIn } from './parent-in.js';
import type { Taken } from './take-model.js';
import { ownTags, replaceTags } from './taken-tags.js';

/** A version that was to be taken over, and whether its files are still to be fetched. */
export interface TakenVersion {
  readonly id: string;
  readonly taken: Taken | 'DIFFERENT';
  readonly fetch: boolean;
}

const runFacts = z.object({
  facts: z.object({
    runId: z.string(),
    name: z.string(),
    user: z.string(),
    experimentId: z.string(),
    status: z.string(),
    startedMs: z.number(),
    endedMs: z.number(),
  }),
  metrics: z.record(z.string(), z.number()),
  params: z.record(z.string(), z.string()),
  commit: z.string(),
});

const input = z.object({
  modelId: z.uuid(),
  address: z.string().min(1).max(2000),
  told: keptVersion,
  run: runFacts.nullable(),
  location: z.string().max(2000).describe('In the artifact proxy; empty: the files stay elsewhere.'),
  by: z.string().min(1).max(200),
  fetchLater: z.boolean().describe('Whether a job fetches the files, and not whoever takes it over.'),
});

type Context = CommandContext<z.output<typeof input>, RegisteredModel>;

interface Known {
  readonly id: string;
  readonly deleted: boolean;
  readonly copyId: string | null;
  readonly told: string | null;
  readonly files: string | null;
  readonly facts: VersionFacts | null;
}

const knownOf = async (tx: Tx, modelId: string, number: number): Promise<Known | null> => {
  const [row] = await tx.sql<Known>(
    `select v.id, v.deleted_at is not null as deleted, c.id as "copyId", c.told_sha256 as told, c.files, c.facts
       from model_version v left join upstream_copy c on c.version_id = v.id
      where v.model_id = $1 and v.version = $2`,
    [modelId, number],
    'mlflow.copyOfVersion',
  );
  return row ?? null;
};

/** Whether the other server still means the same version: it was made at the same moment out of the same. */
export const isSameVersion = (
  facts: VersionFacts,
  told: Pick<ToldVersion, 'creation_timestamp' | 'source' | 'run_id'>,
) =>
  facts.createdMs === told.creation_timestamp && facts.source === told.source && facts.runId === told.run_id;

const lineageOf = async ({ tx, input: { run } }: Context, told: ToldVersion) => ({
  run: told.run_id === '' ? null : told.run_id,
  codeCommit: run === null || run.commit === '' ? null : run.commit,
  datasets: [],
  parentVersionId: await parentIn(tx, told.source),
});

const insertCopy = (
  { tx, input: { address, location, by }, target: model, now }: Context,
  versionId: string,
  facts: VersionFacts,
  digest: string,
): Promise<unknown> =>
  tx.sql(
    `insert into upstream_copy (id, workspace_id, model_id, version_id, address, facts, told_sha256, files, location,
                                taken_by, taken_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      ...[newId(), model.workspaceId, model.id, versionId, address, JSON.stringify(facts), digest],
      ...[location === '' ? 'ELSEWHERE' : 'PENDING', location, by, now],
    ],
  );

const nothingKnown = { facts: null, metrics: {}, params: {} };

const add = async (
  context: Context,
  told: ToldVersion,
  digest: string,
): Promise<CommandOutcome<TakenVersion>> => {
  const { tx, input: given, target: model, now, enqueue } = context;
  const { by, location, address } = given;
  const { facts: run, metrics, params } = given.run ?? nothingKnown;
  const facts = versionFacts(told, run);
  const { version: number, description, source, run_link: runLink } = told;
  const lineage = await lineageOf(context, told);
  const version = { number, description, metrics, params, lineage, source, runLink };
  const { id, audit } = await addVersion(tx, model, version, { actorId: by, now });
  await insertCopy(context, id, facts, digest);
  const at = { tx, workspaceId: model.workspaceId, by, now };
  await replaceTags(at, { modelId: model.id, versionId: id }, ownTags(told.tags));
  const said = { ...audit, facts: { ...audit.facts, upstream: address, toldThere: facts } };
  const fetch = location !== '';
  const result = { id, taken: 'IMPORTED', fetch } as const;
  if (!fetch) {
    const closed = await closeWithFiles(context, await lockVersion(tx, id), []);
    return { result, audit: [said, closed] };
  }
  if (given.fetchLater) enqueue(fetchFilesJob, { versionId: id }, { subject: { kind: 'modelVersion', id } });
  return { result, audit: said };
};

const retell = async (
  { tx, input: { run, by, address }, target: model, now }: Context,
  known: Known,
  told: ToldVersion,
  digest: string,
): Promise<CommandOutcome<TakenVersion>> => {
  const facts = versionFacts(told, run?.facts ?? known.facts?.run ?? null);
  await tx.sql('update model_version set description = $2, updated_at = $3 where id = $1', [
    known.id,
    told.description,
    now,
  ]);
  await tx.sql('update upstream_copy set facts = $2, told_sha256 = $3, updated_at = $4 where id = $1', [
    known.copyId,
    JSON.stringify(facts),
    digest,
    now,
  ]);
  const at = { tx, workspaceId: model.workspaceId, by, now };
  await replaceTags(at, { modelId: model.id, versionId: known.id }, ownTags(told.tags));
  return {
    result: { id: known.id, taken: 'UPDATED', fetch: known.files === 'PENDING' },
    audit: {
      subject: { kind: 'modelVersion', id: known.id },
      facts: { modelId: model.id, upstream: address, toldThere: facts },
    },
  };
};

/** The digest of what is said of a version. */
export const toldDigest = (told: ToldVersion): string =>
  digestOfTold({ ...versionFacts(told, null), description: told.description, tags: ownTags(told.tags) });

export const takeVersion = defineCommand({
  name: 'upstream.takeVersion',
  describe:
    'Takes a version of another MLflow server into the registry under its number, with what is known of its run.',
  permission: 'upstream:take',
  input,
  target: (tx, given) => lockModel(tx, given.modelId),
  handle: async (context): Promise<CommandOutcome<TakenVersion>> => {
    const { tx, input: given, target: model } = context;
    const { told } = given;
    const digest = toldDigest(told);
    const known = await knownOf(tx, model.id, told.version);
    if (known === null) return add(context, told, digest);
    const fetch = known.files === 'PENDING' && !known.deleted;
    const same = { id: known.id, fetch };
    if (known.facts === null) return { result: { ...same, taken: 'FOREIGN' }, audit: nothingChanged };
    if (!isSameVersion(known.facts, told)) {
      return { result: { ...same, taken: 'DIFFERENT' }, audit: nothingChanged };
    }
    if (known.told === digest || known.deleted) {
      return { result: { ...same, taken: 'SAME' }, audit: nothingChanged };
    }
    return retell(context, known, told, digest);
  },
});
