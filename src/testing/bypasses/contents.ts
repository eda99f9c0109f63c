import { call, harmlessCall, harmlessMutation, mutation, noVerb } from './cells.js';
import type { Bypass } from './table.js';

const uploading = (by: string, path: string): Bypass => ({
  by,
  graphql: {
    refusedBy: 'artifacts-closed',
    tried: ({ upload, first }) => upload(`${first}/artifacts/${path}`, 'other bytes'),
  },
  mlflow: call('artifacts-closed', ({ mlflow, first }) =>
    mlflow.put(`versions/${first}/artifacts/${path}`, 'other bytes'),
  ),
  slack: noVerb,
});

const bytes: readonly Bypass[] = [
  uploading('overwriting a file of the READY version', 'MLmodel'),
  uploading('overwriting it in another case', 'mlmodel'),
  uploading('adding a file to the READY version', 'sneaky.pkl'),
  {
    by: 'overwriting the files that it was registered from',
    graphql: { none: 'logged models are reached by the protocol only' },
    mlflow: call('artifacts-closed', ({ mlflow, loggedModel }) =>
      mlflow.put(`0/models/${loggedModel}/artifacts/MLmodel`, 'other bytes'),
    ),
    slack: noVerb,
  },
  {
    by: 'deleting the files of the READY version',
    graphql: { none: 'there is no mutation and no route that deletes a file' },
    mlflow: call('artifacts-closed', ({ mlflow, first }) =>
      mlflow.send('DELETE', `/api/2.0/mlflow-artifacts/artifacts/versions/${first}/artifacts/MLmodel`),
    ),
    slack: noVerb,
  },
  {
    by: 'opening the version again by submitting it once more',
    graphql: harmlessMutation(
      'what was submitted stays as it was closed',
      'submitModelVersion',
      'ModelVersionSubmitInput',
      ({ first }) => ({ versionId: first }),
    ),
    mlflow: call('artifacts-closed', ({ mlflow, loggedModel }) =>
      mlflow.send('PATCH', `logged-models/${loggedModel}`, { status: 'LOGGED_MODEL_UPLOAD_FAILED' }),
    ),
    slack: noVerb,
  },
  {
    by: 'deleting what it was registered from',
    graphql: { none: 'logged models are reached by the protocol only' },
    mlflow: harmlessCall('a version has the list of its files for itself', ({ mlflow, loggedModel }) =>
      mlflow.send('DELETE', `logged-models/${loggedModel}`),
    ),
    slack: noVerb,
  },
];

const copies: readonly Bypass[] = [
  {
    by: 'registering a newer version of the same model',
    graphql: harmlessMutation(
      'a newer version is found by no protected name',
      'createModelVersion',
      'ModelVersionCreateInput',
      ({ given }) => ({ modelId: given.modelId }),
    ),
    mlflow: harmlessCall('a newer version is found by no protected name', ({ mlflow, name }) =>
      mlflow.post('model-versions/create', { name, source: 's3://elsewhere/model' }),
    ),
    slack: noVerb,
  },
  {
    by: 'copying the unapproved version into its model',
    graphql: { none: 'a version is copied by the protocol only' },
    mlflow: harmlessCall('the copy has approvals of its own, and no name', ({ mlflow, name }) =>
      mlflow.post('model-versions/create', { name, source: `models:/${name}/2` }),
    ),
    slack: noVerb,
  },
  {
    by: 'deleting a model of the same kind and making its name again',
    graphql: {
      harmless: 'the new model has no name that stands',
      tried: async (world) => {
        await world.mlflow.post('registered-models/create', { name: 'again' });
        await world.mlflow.send('DELETE', 'registered-models/delete', { name: 'again' });
        return world.graphql('createModel', 'ModelCreateInput', { name: 'again' });
      },
    },
    mlflow: harmlessCall('the new model has no name that stands', async ({ mlflow }) => {
      await mlflow.post('registered-models/create', { name: 'again-too' });
      await mlflow.send('DELETE', 'registered-models/delete', { name: 'again-too' });
      return mlflow.post('registered-models/create', { name: 'again-too' });
    }),
    slack: noVerb,
  },
  {
    by: 'deleting a run and restoring it',
    graphql: { none: 'runs are reached by the protocol only' },
    mlflow: harmlessCall(
      'nothing that is deleted or restored there is what a version is',
      async ({ mlflow }) => {
        const made = await mlflow.post('runs/create', { experiment_id: '0', start_time: 1 });
        const { run_id } = (made.body['run'] as { info: { run_id: string } }).info;
        await mlflow.post('runs/delete', { run_id });
        return mlflow.post('runs/restore', { run_id });
      },
    ),
    slack: noVerb,
  },
];

const tagging = (by: string, key: string, value: string): Bypass => ({
  by,
  graphql: mutation('INVALID_INPUT', 'setTag', 'TagSetInput', ({ given, second }) => ({
    modelId: given.modelId,
    versionId: second,
    key,
    value,
  })),
  mlflow: call('INVALID_PARAMETER_VALUE', ({ mlflow, name }) =>
    mlflow.post('model-versions/set-tag', { name, version: '2', key, value }),
  ),
  slack: noVerb,
});

const tags: readonly Bypass[] = [
  tagging('saying by a tag that it is approved', 'countersign.approvals', 'champion:routing'),
  tagging('saying so in other letters', 'Countersign.Approvals', 'champion:routing'),
  tagging('saying by a tag that intake passed it', 'countersign.intake', 'passed'),
  tagging('hiding by a tag that a request is open', 'countersign.change_requests', ''),
  {
    by: 'a tag that is called like a name',
    graphql: harmlessMutation('no name is read from a tag', 'setTag', 'TagSetInput', ({ given }) => ({
      modelId: given.modelId,
      key: 'mlflow.alias.champion',
      value: '2',
    })),
    mlflow: harmlessCall('no name is read from a tag', ({ mlflow, name }) =>
      mlflow.post('registered-models/set-tag', { name, key: 'alias.champion', value: '2' }),
    ),
    slack: noVerb,
  },
];

/** What changes the bytes, or what is said of them. */
export const contents: readonly Bypass[] = [...bytes, ...copies, ...tags];
