import { z } from 'zod';
import { invalidInput } from '../../../kernel/errors.js';
import {
  deleteModelVersion,
  deleteTag,
  describeModelVersion,
  isReservedTag,
  setStage,
  setTag,
} from '../../registry/index.js';
import { loggedModelIdOf, runIdOf } from '../../tracking/index.js';
import { registerVersion } from '../mlflow.commands/register-version.js';
import type { NameStanding } from '../mlflow.queries/gate.js';
import { versionKey, type NamedVersion } from '../mlflow.queries/keys.js';
import { searchVersions, versionOfNumber } from '../mlflow.queries/models.js';
import { versionView, type VersionRow } from '../mlflow.queries/version-view.js';
import { moveName, unlessProtected } from './gate.js';
import { versionUri } from './places.js';
import { orNothing } from './registered-models.js';
import {
  asObject,
  keyValues,
  maxResults,
  nextPage,
  optional,
  required,
  route,
  searching,
  versionText,
  type Call,
} from './route.js';
import { stageOf } from './stages.js';

const named = { name: required(1000), version: versionText };

const find = (
  { ask, actor }: Call,
  { name, version }: { name: string; version: string },
): Promise<VersionRow> => ask(versionOfNumber, actor, { name, version });

const key = (
  { ask, actor }: Call,
  { name, version }: { name: string; version: string },
): Promise<NamedVersion> => ask(versionKey, actor, { name, version });

const shown = async (call: Call, at: { name: string; version: string }): Promise<object> => ({
  model_version: versionView(await find(call, at)),
});

const versions = [
  route(
    'POST',
    '/model-versions/create',
    z.object({
      name: required(1000),
      source: required(2000),
      run_id: optional(100),
      run_link: optional(500),
      description: optional(10_000),
      model_id: optional(100),
      tags: keyValues(200),
    }),
    async (call, input) => {
      const made = await call.run(registerVersion, call.actor, {
        name: input.name,
        source: input.source,
        runId: input.run_id ? runIdOf(input.run_id) : null,
        loggedModelId: input.model_id ? loggedModelIdOf(input.model_id) : null,
        runLink: input.run_link ?? '',
        description: input.description ?? '',
        // A copy brings the tags that we say of the version it is a copy of; we say our own.
        tags: asObject(input.tags.filter(({ key }) => !isReservedTag(key))),
      });
      return { model_version: versionView(made) };
    },
  ),
  route('GET', '/model-versions/get', z.object(named), shown),
  route(
    'PATCH',
    '/model-versions/update',
    z.object({ ...named, description: optional(10_000) }),
    async (call, input) => {
      const { id: versionId } = await key(call, input);
      await call.run(describeModelVersion, call.actor, { versionId, description: input.description ?? '' });
      return shown(call, input);
    },
  ),
  route('DELETE', '/model-versions/delete', z.object(named), async (call, input) => {
    const { id: versionId } = await key(call, input);
    await unlessProtected(call, () => call.run(deleteModelVersion, call.actor, { versionId }));
    return {};
  }),
  route(
    'GET',
    '/model-versions/search',
    z.object({ ...searching, max_results: maxResults(10_000, 200_000) }),
    async (call, input) => {
      const { versions: found, nextPageToken } = await call.ask(searchVersions, call.actor, {
        filter: input.filter,
        orderBy: input.order_by,
        pageToken: input.page_token,
        maxResults: input.max_results,
      });
      return { model_versions: found, ...nextPage(nextPageToken) };
    },
  ),
  route('GET', '/model-versions/get-download-uri', z.object(named), async (call, input) => {
    const { id, hasFiles, source } = await find(call, input);
    return { artifact_uri: hasFiles ? versionUri(id) : source };
  }),
];

/** Of a stage, the newest version counts: a version that is there already is what clients find, unless a newer one is. */
const transition = route(
  'POST',
  '/model-versions/transition-stage',
  z.object({
    ...named,
    stage: required(100),
    archive_existing_versions: z.union([z.boolean(), z.stringbool()]).default(false),
  }),
  async (call, input) => {
    const stage = stageOf(input.stage);
    const archiveOthers = input.archive_existing_versions;
    if (archiveOthers && stage !== 'Staging' && stage !== 'Production') {
      throw invalidInput(
        `Model version transition cannot archive existing model versions because '${stage}' is not an Active stage. Valid stages are Staging, Production`,
        [{ path: 'archive_existing_versions', message: 'is for Staging and Production' }],
      );
    }
    const { name, version } = input;
    const plain = ({ id: versionId }: NamedVersion) =>
      unlessProtected(call, () => call.run(setStage, call.actor, { versionId, stage, archiveOthers }));
    if (stage === 'None') await plain(await key(call, input));
    else {
      const isThere = (standing: NameStanding): boolean => standing.version.stage === stage;
      await moveName(call, { name, version, alias: stage }, { isThere, plain });
    }
    return shown(call, input);
  },
);

const tags = [
  route(
    'POST',
    '/model-versions/set-tag',
    z.object({ ...named, key: required(250), value: z.string().max(100_000).default('') }),
    async (call, input) => {
      const { id: versionId, modelId } = await key(call, input);
      await call.run(setTag, call.actor, { modelId, versionId, key: input.key, value: input.value });
      return {};
    },
  ),
  route(
    'DELETE',
    '/model-versions/delete-tag',
    z.object({ ...named, key: required(250) }),
    async (call, input) => {
      const { id: versionId, modelId } = await key(call, input);
      await call.run(deleteTag, call.actor, { modelId, versionId, key: input.key }).catch(orNothing);
      return {};
    },
  ),
];

export const modelVersionRoutes = [...versions, transition, ...tags];
