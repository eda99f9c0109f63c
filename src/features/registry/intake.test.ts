import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { giveUpJob } from '../../kernel/give-up.js';
import { asSystem } from '../../kernel/system.js';
import {
  givenEnsemble,
  givenModel,
  putArtifact,
  referenceFile,
  referenceFiles,
} from '../../testing/given-version.js';
import { addModel, externalDataModel } from '../../testing/onnx-bytes.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { perform } from '../../worker/perform.js';
import { createModelVersion, deleteModelVersion, recordIntake, submitModelVersion } from './index.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

interface Shown {
  readonly state: string;
  readonly stateMessage: string;
  readonly digest: string;
  readonly signature: Record<string, unknown> | null;
  readonly intake: {
    files: { path: string; model: Record<string, unknown> | null }[];
    runtime: string;
  } | null;
}

const READ = `query ($id: ID!) { modelVersion(id: $id) { state stateMessage digest signature intake } }`;

const read = async (id: string): Promise<Shown> => {
  const { data } = await app.graphql<{ modelVersion: Shown }>(await app.actor('auditor'), READ, { id });
  if (!data) throw new Error('The version cannot be read');
  return data.modelVersion;
};

/** Uploads, submits, and waits for intake. */
const taken = async (files: ReadonlyMap<string, Uint8Array | string>): Promise<Shown> => {
  const { versionId } = await givenEnsemble(app, { files });
  await app.drainJobs();
  return read(versionId);
};

const only = (path: string, content: Uint8Array | string): Map<string, Uint8Array | string> =>
  new Map([[path, content]]);

test('a pickle beside a model is followed too, also where no MLmodel stands', async () => {
  const files = await referenceFiles();
  const harmless = await taken(
    new Map([...files, ['extra/scaler.pkl', Buffer.from('\x80\x04}.', 'latin1')]]),
  );
  const harmful = await taken(
    new Map([...files, ['extra/scaler.pkl', Buffer.from("cos\nsystem\n(S'id'\ntR.", 'latin1')]]),
  );

  expect(harmless.state).toBe('READY');
  expect(harmless.intake?.files.find(({ path }) => path === 'extra/scaler.pkl')).toHaveProperty('pickle');
  expect([harmful.state, harmful.stateMessage]).toEqual([
    'REJECTED',
    expect.stringContaining('extra/scaler.pkl: loading it would import os.system'),
  ]);
});

test('the reference ensemble with its data passes, and is described file by file', async () => {
  const { versionId } = await givenEnsemble(app, { data: true });
  const submitted = await read(versionId);

  await app.drainJobs();

  const version = await read(versionId);
  expect([submitted.state, version.state, version.stateMessage]).toEqual([
    'PENDING_INTAKE',
    'READY',
    'Every check of intake passed',
  ]);
  expect(version.signature).toMatchObject({ kind: 'ensemble' });
  const models = version.intake?.files.filter(({ model }) => model !== null) ?? [];
  expect(models.map(({ path }) => path)).toEqual([
    'extra-trees.onnx',
    'lightgbm.onnx',
    'logistic-regression.onnx',
    'xgboost.onnx',
  ]);
  expect(models[0]?.model).toMatchObject({
    zeroRow: true,
    inputs: [{ name: 'features', shape: [null, 29] }],
  });
  expect(version.intake?.runtime).toMatch(/^onnxruntime \d/);
  expect((await app.trail(versionId)).at(-1)).toEqual({
    command: 'modelVersion.recordIntake',
    outcome: 'done',
    actorId: 'job:registry.intake',
  });
});

test('a single model passes without a manifest', async () => {
  const version = await taken(only('model.onnx', addModel()));

  expect(version.state).toBe('READY');
  expect(version.signature).toMatchObject({ kind: 'model', inputs: [{ name: 'x', shape: ['batch', 4] }] });
});

describe('what a folder says of itself and cannot be stored', () => {
  const described = (more: string): string =>
    `flavors:\n  python_function:\n    loader_module: ${'x'.repeat(199)}🦜\n${more}`;

  test.each([
    ['a NUL', `signature: {inputs: '"\\u0000"'}`, /^MLmodel: signature\.inputs holds a character/],
    ['half a character', `signature: {outputs: '["\\ud83e"]'}`, /^MLmodel: signature\.outputs\.0 holds/],
    ['a long name that is cut', 'model_id: x', null],
    ['nothing but brackets', `signature: {params: '${'['.repeat(70)}${']'.repeat(70)}'}`, /nested deeper/],
  ])('is said, and the job goes on to its end: %s', async (_, more, why) => {
    const version = await taken(new Map([['MLmodel', described(more)], ...only('model.onnx', addModel())]));

    expect(version.state).toBe(why === null ? 'READY' : 'REJECTED');
    if (why !== null) expect(version.stateMessage).toMatch(why);
  });
});

describe('a version is rejected, with the file and the reason', () => {
  test.each([
    ['text that is called a model', only('m.onnx', 'hello'), /^m\.onnx: it is not a readable ONNX model/],
    [
      'a model with data elsewhere',
      only('m.onnx', externalDataModel('w.bin')),
      /^m\.onnx: it keeps data outside of itself/,
    ],
    ['a capital ending', only('M.ONNX', 'hello'), /^M\.ONNX: it is not/],
    ['an empty file', only('m.onnx', ''), /^m\.onnx: it is empty/],
    [
      'a model whose producer has a NUL in its name',
      only('m.onnx', Buffer.concat([addModel(), Buffer.from([0x12, 3, 0x61, 0, 0x62])])),
      /^m\.onnx: producer holds a character that cannot be stored/,
    ],
    [
      'a manifest with half a character',
      new Map([
        ...only('m.onnx', addModel()),
        ['manifest.json', '{"schema":"countersign.ensemble/1","name":"\\ud800"}'],
      ]),
      /^manifest\.json: name holds a character that cannot be stored/,
    ],
    [
      'a manifest that is no JSON',
      new Map([...only('m.onnx', addModel()), ['manifest.json', '['.repeat(100_000)]]),
      /^manifest\.json: is not JSON/,
    ],
    [
      'so many faults in so odd a name that the sentence is cut within a character',
      new Map(Array.from({ length: 9 }, (_, index) => [`${'😀'.repeat(130)}${String(index)}.onnx`, ''])),
      /it is empty/,
    ],
  ])('%s', async (_, files, reason) => {
    const version = await taken(files);

    expect(version.state).toBe('REJECTED');
    expect(version.stateMessage).toMatch(reason);
    expect(version.signature).toBeNull();
  });

  test('a truncated member', async () => {
    const files = await referenceFiles();
    files.set('xgboost.onnx', (await referenceFile('xgboost.onnx')).subarray(0, 30_000));

    const { state, stateMessage } = await taken(files);

    expect(state).toBe('REJECTED');
    expect(stateMessage).toMatch(/xgboost\.onnx: it is not a readable ONNX model/);
    expect(stateMessage).toMatch(/xgboost\.onnx: the member xgboost has the digest/);
  });

  interface Manifest {
    members: { file: string; sha256: string; bytes: number }[];
    background: { sha256: string };
  }

  test('an excluded feature as the input of a member and in the background', async () => {
    const files = await referenceFiles();
    const manifest = JSON.parse((await referenceFile('manifest.json')).toString()) as Manifest;
    const digest = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
    const biased = addModel({ input: 'race', width: 29 });
    const background = Buffer.from(
      (await referenceFile('background.csv')).toString().replace('age,', 'sex,'),
    );
    manifest.members = manifest.members.map((member) =>
      member.file === 'xgboost.onnx' ? { ...member, sha256: digest(biased), bytes: biased.length } : member,
    );
    manifest.background = { ...manifest.background, sha256: digest(background) };
    files.set('xgboost.onnx', biased);
    files.set('background.csv', background);
    files.set('manifest.json', Buffer.from(JSON.stringify(manifest)));

    expect((await taken(files)).stateMessage).toMatch(
      /sex is excluded by the manifest and yet a column of background\.csv/,
    );
  });
});

describe('intake', () => {
  test('done twice is intake done once', async () => {
    const { versionId } = await givenEnsemble(app, { files: only('model.onnx', addModel()) });
    await app.drainJobs();
    const before = await app.trail(versionId);
    const input = { versionId, state: 'REJECTED', message: 'late', signature: null, intake: {} } as const;

    await app.run(recordIntake, app.system('job:registry.intake'), input);

    expect(await app.trail(versionId)).toEqual(before);
    expect((await read(versionId)).state).toBe('READY');
  });

  test('that cannot be finished fails, and the version is rejected once its job is given up', async () => {
    const { versionId } = await givenEnsemble(app, { files: only('model.onnx', addModel()) });
    const [job] = await asSystem(app.db, (tx) =>
      tx.sql<{ id: string }>(`select id from outbox where job = 'registry.intake'`),
    );
    const id = job?.id ?? '';
    const unreachable = {
      ...app.outside.artifacts,
      withFile: () => Promise.reject(new Error('The store does not answer')),
    };
    const parts = { ...app, outside: { ...app.outside, artifacts: unreachable } };
    const { organizationId, workspaceId } = app;
    const delivery = {
      id,
      job: 'registry.intake',
      payload: { versionId },
      attempt: 3,
      organizationId,
      workspaceId,
      requestId: null,
    };

    await expect(perform(parts, delivery, new AbortController().signal)).rejects.toThrow(
      'The store does not answer',
    );
    expect((await read(versionId)).state).toBe('PENDING_INTAKE');
    const given = {
      id,
      name: 'registry.intake',
      attempts: 3,
      reason: 'The store was away.',
      code: 'INTERNAL',
    };
    await app.run(giveUpJob, app.system('job:registry.intake'), given);
    await app.drainJobs({ only: ['registry.noteFailedIntake'] });

    expect(await read(versionId)).toMatchObject({
      state: 'REJECTED',
      stateMessage: expect.stringMatching(
        /^Intake could not be completed: The store was away\. Create a new version/,
      ) as string,
    });
    await app.drainJobs();
    expect((await read(versionId)).state).toBe('REJECTED');
  });

  test('of a version that was deleted meanwhile ends quietly', async () => {
    const { versionId } = await givenEnsemble(app, { files: only('model.onnx', addModel()) });
    await app.run(deleteModelVersion, await app.actor('engineer'), { versionId });

    expect(await app.drainJobs({ only: ['registry.intake'] })).toEqual({
      performed: ['registry.intake'],
      failed: [],
    });
  });

  test('is recorded by the product only', async () => {
    const { versionId } = await givenEnsemble(app, { files: only('model.onnx', addModel()) });
    const input = { versionId, state: 'READY', message: 'trust me', signature: null, intake: {} } as const;

    for (const role of ['engineer', 'administrator'] as const) {
      await expect(app.run(recordIntake, await app.actor(role), input)).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
    }
    expect((await read(versionId)).state).toBe('PENDING_INTAKE');
    await app.drainJobs();
  });

  test('closes the version: nothing is added, changed or submitted anew', async () => {
    const engineer = await app.actor('engineer');
    const { versionId } = await givenEnsemble(app, { files: only('model.onnx', addModel()) });
    const { digest } = await read(versionId);

    for (const [path, content] of [
      ['model.onnx', 'x'],
      ['model.onnx', addModel()],
      ['new.txt', 'x'],
    ] as const) {
      await expect(putArtifact(app, engineer, versionId, path, content)).rejects.toMatchObject({
        code: 'CONFLICT',
      });
    }
    await app.run(submitModelVersion, engineer, { versionId });

    const { performed } = await app.drainJobs();
    expect(performed.filter((job) => job.startsWith('registry.'))).toEqual(['registry.intake']);
    expect((await read(versionId)).digest).toBe(digest);
  });

  test('of an open version replaces what is uploaded again, and counts a path once', async () => {
    const engineer = await app.actor('engineer');
    const { id: versionId } = await app.run(createModelVersion, engineer, { modelId: await givenModel(app) });
    const first = await putArtifact(app, engineer, versionId, 'model.onnx', 'broken');
    const again = await putArtifact(app, engineer, versionId, 'model.onnx', 'broken');
    const second = await putArtifact(app, engineer, versionId, 'model.onnx', addModel());
    await expect(putArtifact(app, engineer, versionId, 'Model.onnx', 'x')).rejects.toMatchObject({
      code: 'CONFLICT',
    });

    expect([again.id, second.id]).toEqual([first.id, first.id]);
    expect((await app.trail(first.id)).map(({ command }) => command)).toEqual([
      'artifact.upload',
      'artifact.upload',
    ]);
    await app.run(submitModelVersion, engineer, { versionId });
    await app.drainJobs();
    expect((await read(versionId)).state).toBe('READY');
  });
});
