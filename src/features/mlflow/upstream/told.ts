import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalBytes } from '../../../kernel/audit.js';
import { artifactPath } from '../../registry/index.js';

/*
 * What another server says of its models. It is a stranger's word: parsed, bounded, and what does not fit is left out.
 */

const milliseconds = z.coerce.number().int().min(0).max(8.64e15).catch(0);
const text = (most: number) =>
  z
    .string()
    .nullish()
    .transform((given) => (given ?? '').normalize('NFC').replaceAll('\0', '').slice(0, most));

const keyValues = z
  .array(z.object({ key: z.string(), value: z.coerce.string().default('') }))
  .nullish()
  .transform((all) =>
    Object.fromEntries(
      (all ?? [])
        .filter(({ key, value }) => key.length > 0 && key.length <= 250 && value.length <= 100_000)
        .filter(({ key, value }) => !key.includes('\0') && !value.includes('\0'))
        .slice(0, 200)
        .map(({ key, value }) => [key, value]),
    ),
  );

const aliasName = z.string().regex(/^[\w-]{1,255}$/);

export const toldModel = z.object({
  name: z.string().min(1).max(1000),
  description: text(10_000),
  creation_timestamp: milliseconds,
  last_updated_timestamp: milliseconds,
  user_id: text(256),
  tags: keyValues,
  aliases: z
    .array(z.object({ alias: aliasName, version: z.coerce.string() }))
    .nullish()
    .transform((all) => all ?? []),
});

/** A model, as the other server tells of it. */
export type ToldModel = z.output<typeof toldModel>;

export const toldVersion = z.object({
  name: z.string().min(1).max(1000),
  version: z.coerce.number().int().min(1).max(999_999_999),
  creation_timestamp: milliseconds,
  last_updated_timestamp: milliseconds,
  user_id: text(256),
  current_stage: text(100),
  description: text(10_000),
  source: text(2000),
  run_id: text(100),
  run_link: text(500),
  status: text(100),
  tags: keyValues,
  aliases: z
    .array(aliasName)
    .nullish()
    .transform((all) => all ?? []),
});

/** A version, as the other server tells of it. */
export type ToldVersion = z.output<typeof toldVersion>;

/*
 * The same once it was read, as commands take it.
 */

const said = z.string().max(10_000);
const keptTags = z.record(z.string().min(1).max(250), z.string().max(100_000));

export const keptModel = z.object({
  name: said,
  description: said,
  creation_timestamp: z.number(),
  last_updated_timestamp: z.number(),
  user_id: said,
  tags: keptTags,
  aliases: z.array(z.object({ alias: said, version: said })),
});

export const keptVersion = z.object({
  name: said,
  version: z.int().min(1),
  creation_timestamp: z.number(),
  last_updated_timestamp: z.number(),
  user_id: said,
  current_stage: said,
  description: said,
  source: said,
  run_id: said,
  run_link: said,
  status: said,
  tags: keptTags,
  aliases: z.array(said),
});

const finite = z.union([z.number(), z.string()]);

export const toldRun = z.object({
  info: z.object({
    run_id: text(100),
    run_name: text(500),
    user_id: text(256),
    experiment_id: text(100),
    status: text(100),
    start_time: milliseconds,
    end_time: milliseconds,
  }),
  data: z
    .object({
      metrics: z
        .array(z.object({ key: z.string().min(1).max(250), value: finite.catch('NaN') }))
        .nullish()
        .transform((all) => all ?? []),
      params: keyValues,
      tags: keyValues,
    })
    .nullish(),
});

/** What is kept of a run: what makes a version understandable, not its history. */
export interface RunFacts {
  readonly runId: string;
  readonly name: string;
  readonly user: string;
  readonly experimentId: string;
  readonly status: string;
  readonly startedMs: number;
  readonly endedMs: number;
}

const mostEntries = 500;

/** A run in our words. */
export const runOf = (told: z.output<typeof toldRun>) => {
  const { info, data } = told;
  const metrics = (data?.metrics ?? [])
    .filter((one): one is { key: string; value: number } => typeof one.value === 'number')
    .slice(0, mostEntries);
  const params = Object.entries(data?.params ?? {})
    .filter(([key, value]) => key.length <= 200 && value.length <= 6000)
    .slice(0, mostEntries);
  const facts: RunFacts = {
    runId: info.run_id,
    name: info.run_name,
    user: info.user_id,
    experimentId: info.experiment_id,
    status: info.status,
    startedMs: info.start_time,
    endedMs: info.end_time,
  };
  return {
    facts,
    metrics: Object.fromEntries(metrics.map(({ key, value }) => [key, value])),
    params: Object.fromEntries(params),
    commit: (data?.tags['mlflow.source.git.commit'] ?? '').slice(0, 200),
  };
};

/** What is said of a version there, kept as the word of that server. */
export const versionFacts = (told: ToldVersion, run: RunFacts | null) => ({
  createdMs: told.creation_timestamp,
  updatedMs: told.last_updated_timestamp,
  user: told.user_id,
  status: told.status,
  stage: told.current_stage,
  aliases: [...told.aliases].sort(),
  source: told.source,
  runId: told.run_id,
  run,
});

/** The facts of a version as they are stored. */
export type VersionFacts = ReturnType<typeof versionFacts>;

/** The digest of all that was said. */
export const digestOfTold = (told: object): string =>
  createHash('sha256').update(canonicalBytes(told)).digest('hex');

/**
 * The path within the artifact proxy that an address of a version names, or null when its files stand elsewhere. What
 * is no path of an artifact is nowhere.
 */
export const proxyPathOf = (uri: string): string | null => {
  const [, rest] = /^mlflow-artifacts:(.*)$/.exec(uri) ?? [];
  if (rest === undefined) return null;
  const path = rest.startsWith('//') ? rest.slice(2).split('/').slice(1).join('/') : rest;
  const plain = path.replace(/^\/+|\/+$/g, '');
  return artifactPath.safeParse(plain).success ? plain : null;
};
