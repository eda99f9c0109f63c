import { call, harmlessCall, mutation, none, noVerb } from './cells.js';
import type { Bypass } from './table.js';
import { protocolAt } from '../mlflow-door.js';
import { spoken, type World } from './world.js';

const setting = (alias: string, graphql = 'protected-alias', mlflow = 'protected-alias'): Bypass => ({
  by: `setting ${JSON.stringify(alias)}`,
  graphql: mutation(graphql, 'setAlias', 'AliasSetInput', ({ given, second }) => ({
    modelId: given.modelId,
    versionId: second,
    name: alias,
  })),
  mlflow: call(mlflow, ({ mlflow: api, name }) =>
    api.post('registered-models/alias', { name, alias, version: '2' }),
  ),
  slack: noVerb,
});

const deleting = (alias: string, mlflow = 'protected-alias'): Bypass => ({
  by: `deleting ${JSON.stringify(alias)}`,
  graphql: mutation('protected-alias', 'deleteAlias', 'AliasDeleteInput', ({ given }) => ({
    modelId: given.modelId,
    name: alias,
  })),
  mlflow: call(mlflow, ({ mlflow: api, name }) =>
    api.send('DELETE', 'registered-models/alias', { name, alias }),
  ),
  slack: noVerb,
});

const lookAlike = 'INVALID_PARAMETER_VALUE';

const set: readonly Bypass[] = [
  ...['champion', 'Champion', 'CHAMPION', 'production', 'prod-eu', 'PROD', 'Prod_2'].map((alias) =>
    setting(alias),
  ),
  ...[
    ' champion ',
    'ｃｈａｍｐｉｏｎ',
    'сhampion',
    'champıon',
    'champιon',
    '𝐜hampion',
    'рroduction',
    'ＰＲＯＤ·x',
  ].map((alias) => setting(alias, 'protected-alias', lookAlike)),
  // Invisible characters are in no name at all.
  ...['cham\u200Bpion', 'champion\u2060', '\u202Echampion', 'cham\u00ADpion', 'champion\u0000'].map((alias) =>
    setting(alias, 'INVALID_INPUT', lookAlike),
  ),
  {
    by: 'setting it to its own version for another use case',
    graphql: mutation('protected-alias', 'setAlias', 'AliasSetInput', ({ given, first, otherUseCase }) => ({
      modelId: given.modelId,
      versionId: first,
      name: 'champion',
      useCaseId: otherUseCase,
    })),
    mlflow: harmlessCall(
      'the alias is there: the call of who did not hear the answer does nothing',
      (world) =>
        tagged(world, 'countersign.use_case', 'another').then(() =>
          world.mlflow.post('registered-models/alias', { name: world.name, alias: 'champion', version: '1' }),
        ),
    ),
    slack: noVerb,
  },
  {
    by: 'setting it without the right',
    graphql: mutation(
      'permission',
      'setAlias',
      'AliasSetInput',
      ({ given, second }) => ({ modelId: given.modelId, versionId: second, name: 'champion' }),
      'compliance',
    ),
    mlflow: {
      refusedBy: 'protected-alias',
      tried: async ({ door, name }) => {
        const api = protocolAt(`${door.url}/mlflow`, await door.tokenOf('compliance'));
        return spoken(api.post('registered-models/alias', { name, alias: 'champion', version: '2' }));
      },
    },
    slack: noVerb,
  },
];

const tagged = ({ mlflow, name }: World, key: string, value: string) =>
  mlflow.post('model-versions/set-tag', { name, version: '1', key, value });

const removed: readonly Bypass[] = [
  ...['champion', 'CHAMPION', 'production'].map((alias) => deleting(alias)),
  ...['сhampion', 'Ｐroduction'].map((alias) => deleting(alias, lookAlike)),
  {
    by: 'deleting the version it names',
    graphql: mutation('protected-alias', 'deleteModelVersion', 'ModelVersionDeleteInput', ({ first }) => ({
      versionId: first,
    })),
    mlflow: call('protected-alias', ({ mlflow, name }) =>
      mlflow.send('DELETE', 'model-versions/delete', { name, version: '1' }),
    ),
    slack: noVerb,
  },
  {
    by: 'deleting its model',
    graphql: mutation('protected-alias', 'deleteModel', 'ModelDeleteInput', ({ given }) => ({
      modelId: given.modelId,
    })),
    mlflow: call('protected-alias', ({ mlflow, name }) =>
      mlflow.send('DELETE', 'registered-models/delete', { name }),
    ),
    slack: noVerb,
  },
];

const renaming = (by: string, to: string): Bypass => ({
  by,
  graphql: mutation('protected-alias', 'renameModel', 'ModelRenameInput', ({ given }) => ({
    modelId: given.modelId,
    name: to,
  })),
  mlflow: call('protected-alias', ({ mlflow, name }) =>
    mlflow.post('registered-models/rename', { name, new_name: to }),
  ),
  slack: noVerb,
});

const creating = (called: string, graphql = 'name-taken', mlflow = 'name-reads-alike'): Bypass => ({
  by: `registering another model called ${JSON.stringify(called)}`,
  graphql: mutation(graphql, 'createModel', 'ModelCreateInput', () => ({ name: called })),
  mlflow: call(mlflow, ({ mlflow: api }) => api.post('registered-models/create', { name: called })),
  slack: noVerb,
});

const renamed: readonly Bypass[] = [
  renaming('renaming its model', 'elsewhere'),
  renaming('renaming its model in another case', 'ROUTING'),
  creating('routing', 'name-taken', 'name-taken'),
  ...['ROUTING', 'rоuting', 'ｒouting', '𝐫outing', 'routıng'].map((called) => creating(called)),
  creating('rout\u200Bing', 'INVALID_INPUT', 'INVALID_PARAMETER_VALUE'),
  {
    by: 'giving another model its name',
    graphql: {
      refusedBy: 'name-taken',
      tried: async (world) => {
        const modelId = await another(world, 'spare-g');
        return world.graphql('renameModel', 'ModelRenameInput', { modelId, name: 'Routing' });
      },
    },
    mlflow: call('name-reads-alike', async ({ mlflow }) => {
      await mlflow.post('registered-models/create', { name: 'spare-m' });
      return mlflow.post('registered-models/rename', { name: 'spare-m', new_name: 'Routing' });
    }),
    slack: noVerb,
  },
];

/** Another model of the engineer; the protocol tells its id to nobody, so it is looked up. */
const another = async ({ mlflow, app, given }: World, name: string): Promise<string> => {
  await mlflow.post('registered-models/create', { name });
  const { data } = await app.graphql<{ model: { id: string } }>(
    given.owner,
    `query ($name: String!) { model(name: $name) { id } }`,
    { name },
  );
  return data?.model.id ?? '';
};

const stage = (by: string, version: string, to: string, archive = false): Bypass => ({
  by,
  graphql: none('stages are a word of the protocol: no mutation moves them, an approved change does'),
  mlflow: call('protected-alias', ({ mlflow, name }) =>
    mlflow.post('model-versions/transition-stage', {
      name,
      version,
      stage: to,
      archive_existing_versions: archive,
    }),
  ),
  slack: noVerb,
});

const staged: readonly Bypass[] = [
  stage('entering the stage', '2', 'Production'),
  stage('entering the stage in small letters', '2', 'production'),
  stage('entering the stage, archiving what stands there', '2', 'Production', true),
  stage('leaving the stage', '1', 'None'),
  stage('archiving what stands in the stage', '1', 'Archived'),
  stage('moving what stands in the stage to another', '1', 'Staging', true),
];

/** What changes or takes away a name. */
export const names: readonly Bypass[] = [...set, ...removed, ...renamed, ...staged];
