import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { breakGlass } from '../features/approvals/index.js';
import { attestationRoutes } from '../features/attestations/attestations.http.js';
import { revokeAttestation } from '../features/attestations/index.js';
import { installationRoot } from '../kernel/root.js';
import { testDoor, type TestDoor } from '../testing/door.js';
import {
  attestationOf,
  givenAttested,
  givenFiles,
  published,
  writeFiles,
  type GivenAttested,
} from '../testing/given-attestation.js';
import { givenPromotable } from '../testing/given-change.js';
import { testApp, type TestApp } from '../testing/test-app.js';
import { gateOptions } from './gate/options.js';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const hook = new URL('../compute/typescript-hook.mjs', import.meta.url).href;

let app: TestApp;
let door: TestDoor;
let given: GivenAttested;
let token = '';
let documents: string[];
let place = '';

beforeAll(async () => {
  app = await testApp();
  door = await testDoor(app, { routes: [attestationRoutes] });
  given = await givenAttested(app);
  const service = app.service({ scopes: ['attestation:read'] });
  token = door.headersOf(service)['authorization']?.replace('Bearer ', '') ?? '';
  place = join(app.folder, 'documents');
  documents = await writeDocuments(place);
});

/** What the installation publishes at this moment, in files. */
const writeDocuments = async (folder: string, envelope = given.attestation.envelope): Promise<string[]> => {
  const { keys, list } = await published(app);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'attestation.json'), envelope);
  await writeFile(join(folder, 'keys.json'), keys);
  await writeFile(join(folder, 'revocations.json'), list);
  return ['attestation', 'keys', 'revocations'].flatMap((name) => [
    `--${name}`,
    join(folder, `${name}.json`),
  ]);
};

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const run = async (
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): Promise<Ended> => {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
};

/** Runs the program as a pipeline would, with nothing but a token in its environment. */
const gate = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  run(process.execPath, ['--import', hook, main, 'gate', ...args], { env });

const online = (): string[] => ['--server', door.address];

/** The approved folder with one more byte. */
const spoiltFolder = async (name: string): Promise<string> => {
  const folder = join(app.folder, name);
  await cp(given.folder, folder, { recursive: true });
  await writeFile(join(folder, 'model.bin'), 'weights!');
  return folder;
};

describe('offline', () => {
  test('an approved folder passes with 0, and what was approved is printed', async () => {
    const { code, out, err } = await gate([given.folder, '--environment', 'production', ...documents]);

    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^PASS\n.*@2, champion for use-\d+ in production\nattestation #1 of https/);
  });

  test('a changed folder is refused with 1, and the file is named', async () => {
    const { code, out } = await gate([await spoiltFolder('spoilt'), ...documents, '--json']);

    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      pass: false,
      reasons: [
        { rule: 'digest', message: expect.stringContaining('"model.bin" has another content') as string },
      ],
    });
  });

  test('a link in the folder is refused with 1 before anything is asked', async () => {
    const folder = join(app.folder, 'linked');
    await cp(given.folder, folder, { recursive: true });
    execFileSync('ln', ['-s', '/etc/hostname', join(folder, 'x')]);

    expect(await gate([folder, ...documents])).toMatchObject({
      code: 1,
      out: expect.stringMatching(/symlink/) as string,
    });
  });
});

test(
  'what was moved in an emergency passes with a warning, or not at all',
  { timeout: 120_000 },
  async () => {
    const contents = { 'model.bin': 'in a hurry' };
    const { versionId, useCaseId, owner } = await givenFiles(
      app,
      await givenPromotable(app, { bare: true }),
      contents,
    );
    const reason = 'The champion answers nonsense since noon';
    await app.run(breakGlass, owner, { versionId, useCaseId, alias: 'champion', reason });
    const folder = join(app.folder, 'hurried');
    await writeFiles(folder, contents);
    const { envelope } = await attestationOf(app, versionId);
    const papers = await writeDocuments(join(app.folder, 'hurried-documents'), envelope);

    const passed = await gate([folder, ...papers]);
    const refused = await gate([folder, '--no-break-glass', ...papers]);
    const approved = await gate([given.folder, '--no-break-glass', ...documents]);

    expect(passed.code).toBe(0);
    expect(passed.out).toMatch(/^PASS\nWARNING: .*"The champion answers nonsense since noon"/);
    expect(refused.code).toBe(1);
    expect(refused.out).toMatch(/^REFUSED\n- .*\(break-glass\)/);
    expect(approved.code).toBe(0);
    expect(approved.out).not.toContain('WARNING');
  },
);

describe('online', () => {
  test('a folder, an alias and a version pass', { timeout: 120_000 }, async () => {
    const env = { COUNTERSIGN_TOKEN: token };
    const { modelName } = given.attestation;

    for (const named of [
      [given.folder],
      [`${modelName}@champion`],
      [`${modelName}@2`],
      [given.folder, `${modelName}@2`],
    ]) {
      expect(await gate([...named, ...online()], env)).toMatchObject({ code: 0, err: '' });
    }
  });

  test(
    'what was never approved is refused: another folder, another version, another use',
    { timeout: 120_000 },
    async () => {
      const env = { COUNTERSIGN_TOKEN: token };
      const { modelName } = given.attestation;
      const spoilt = await spoiltFolder('spoilt-online');

      for (const asked of [[spoilt], [`${modelName}@1`], [given.folder, '--use-case', 'other']]) {
        const { code, out } = await gate([...asked, ...online()], env);
        expect([code, out]).toEqual([1, expect.stringContaining('never approved')]);
      }
    },
  );

  test('whatever could not be found out ends with 2', { timeout: 120_000 }, async () => {
    const asked = [given.folder, ...online()];
    const lists = [
      [asked, {}, 'token is needed'],
      [asked, { COUNTERSIGN_TOKEN: 'wrong' }, 'answered 401'],
      [[given.folder, '--server', 'http://127.0.0.1:9'], { COUNTERSIGN_TOKEN: token }, 'cannot be reached'],
      [[given.folder, '--server', 'http://countersign.example'], { COUNTERSIGN_TOKEN: token }, 'https'],
      [[given.folder], {}, 'where the documents are'],
      [['nowhere', ...documents], {}, 'neither a folder nor a name'],
      [[given.folder, ...documents, '--at', 'soon'], {}, 'is no time'],
      [[given.folder, ...documents, '--surprise'], {}, 'surprise'],
      [
        [given.folder, '--attestation', 'nothing', '--keys', 'nothing', '--revocations', 'nothing'],
        {},
        'cannot be read',
      ],
    ] as const;
    for (const [args, env, sentence] of lists) {
      expect([args, await gate(args, env)]).toEqual([
        args,
        { code: 2, out: '', err: expect.stringContaining(sentence) as string },
      ]);
    }
  });
});

test('it starts without a database, and knows nothing of the application', async () => {
  const traced = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ resolve: (name, context, next) => { const found = next(name, context); seen.push(found.url); return found; } });
    process.on('exit', () => { console.error(JSON.stringify({ zod: seen.some((url) => url.includes('/zod/')), heavy: seen.filter((url) => /typeorm|graphql|fastify|\\/pg\\//.test(url)) })); });`;
  const tracer = join(app.folder, 'tracer.mjs');
  await writeFile(tracer, traced);
  const args = ['--import', hook, '--import', tracer, main, 'gate', given.folder, '--digest'];

  const { code, out, err } = await run(process.execPath, args, { env: {} });

  expect({ code, out }).toEqual({ code: 0, out: `${given.attestation.treeSha256}\n` });
  expect(JSON.parse(err)).toEqual({ zod: true, heavy: [] });
});

const examples = join(installationRoot, 'deploy', 'examples');

describe('the examples', () => {
  const shell = (folder: string, environment: string): Promise<Ended> =>
    run('sh', [join(examples, 'gate.sh'), folder, given.attestation.useCase, environment], {
      env: {
        PATH: '/usr/bin:/bin',
        COUNTERSIGN_URL: door.address,
        COUNTERSIGN_TOKEN: token,
        COUNTERSIGN_COMMAND: `${process.execPath} --import ${hook} ${main}`,
        GATE_PAUSE_SECONDS: '0',
      },
    });

  test(
    'the step in plain shell lets in what was approved and ends with the reasons otherwise',
    { timeout: 120_000 },
    async () => {
      expect(await shell(given.folder, 'production')).toMatchObject({ code: 0, err: '' });
      expect(await shell(given.folder, 'staging')).toMatchObject({ code: 1 });
      expect(await shell(await spoiltFolder('spoilt-shell'), 'production')).toMatchObject({ code: 1 });
    },
  );

  const step = z.looseObject({
    run: z.string().optional(),
    env: z.record(z.string(), z.string()).optional(),
  });
  const workflow = z.looseObject({
    jobs: z.object({
      gate: z.looseObject({ steps: z.array(step) }),
      deploy: z.looseObject({ needs: z.literal('gate'), steps: z.array(step) }),
    }),
  });

  /** The words of a command line of an example are understood by the gate. */
  const understood = (words: readonly string[]) =>
    gateOptions(words.map((word) => (word === 'model' || word === '/model' ? given.folder : word)));

  test('the CI job is one whose deployment needs the gate, with a command line that the gate understands', async () => {
    const { jobs } = workflow.parse(parse(await readFile(join(examples, 'ci-job.yaml'), 'utf8')));
    const command = jobs.gate.steps.map((one) => one.run ?? '').find((one) => one.includes(' gate ')) ?? '';

    const options = understood(command.split(/\s+/).slice(3));

    expect(options).toMatchObject({
      folder: given.folder,
      reference: { model: 'income-routing', alias: 'champion' },
      environment: 'production',
      from: { kind: 'server' },
    });
    expect(command).not.toContain('TOKEN');
  });

  const pod = z.object({
    initContainers: z.array(z.looseObject({ name: z.string(), args: z.array(z.string()) })),
    containers: z.array(
      z.looseObject({ volumeMounts: z.array(z.looseObject({ name: z.string(), readOnly: z.boolean() })) }),
    ),
  });

  test('the Kubernetes manifest parses; its last init container is the gate, over pinned keys', async () => {
    const parts = parseAllDocuments(await readFile(join(examples, 'kubernetes.yaml'), 'utf8'), {
      merge: true,
    });
    expect(parts.flatMap((part) => ('errors' in part ? part.errors : []))).toEqual([]);
    const objects = z
      .array(z.looseObject({ kind: z.string(), spec: z.looseObject({ template: z.unknown().optional() }) }))
      .parse(parts.map((part) => part.toJS() as unknown));
    expect(objects.map(({ kind }) => kind)).toEqual([
      'Deployment',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
    ]);
    const { spec } = z.object({ spec: pod }).parse(objects[0]?.spec.template);
    const last = spec.initContainers.at(-1);
    expect(last?.name).toBe('countersign-gate');
    expect(understood(last?.args.slice(1) ?? [])).toMatchObject({
      folder: given.folder,
      environment: 'production',
      from: { kind: 'server', keys: '/keys/keys.json', tokenFile: '/token/token' },
    });
    expect(spec.containers.every((one) => one.volumeMounts.every(({ readOnly }) => readOnly))).toBe(true);
  });
});

const has = (program: string, args: readonly string[]): string => {
  try {
    return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  } catch {
    return '';
  }
};
const tools = has('openssl', ['version']).startsWith('OpenSSL 3') && has('jq', ['--version']) !== '';

describe.skipIf(!tools)(
  'the commands of docs/attestations.md, by a stranger with openssl, jq and sha256sum',
  () => {
    const check = async (
      name: string,
      change: (folder: string) => Promise<unknown> = () => Promise.resolve(),
    ): Promise<Ended> => {
      const folder = join(app.folder, `stranger-${name}`);
      await writeDocuments(folder);
      await cp(given.folder, join(folder, 'model'), { recursive: true });
      await change(folder);
      const text = await readFile(join(installationRoot, 'docs', 'attestations.md'), 'utf8');
      const [, script = ''] = /```sh\n(# check\.sh\n[\s\S]*?)```/.exec(text) ?? [];
      await writeFile(join(folder, 'check.sh'), script);
      return run('bash', ['check.sh'], { cwd: folder, env: { PATH: '/usr/bin:/bin:/usr/local/bin' } });
    };

    test('accept what was approved', async () => {
      const { modelName, useCase } = given.attestation;

      expect(await check('good')).toEqual({
        code: 0,
        err: '',
        out: `approved: ${modelName}@2 for ${useCase}\n`,
      });
    });

    const replaceIn = (file: string, from: RegExp, to: string) => async (folder: string) => {
      const path = join(folder, file);
      const text = await readFile(path, 'utf8');
      const changed = text.replace(from, to);
      expect(changed).not.toBe(text);
      await writeFile(path, changed);
    };

    test.each<[string, (folder: string) => Promise<unknown>]>([
      ['a changed file', (folder) => writeFile(join(folder, 'model', 'model.bin'), 'weightz')],
      ['another file', (folder) => writeFile(join(folder, 'model', 'more.txt'), '')],
      ['a missing file', (folder) => rm(join(folder, 'model', 'model.bin'))],
      ['a changed payload', replaceIn('attestation.json', /"payload":"e/, '"payload":"f')],
      ['another signature', replaceIn('attestation.json', /"sig":"../, '"sig":"AA')],
      [
        'another key under the same name',
        replaceIn('keys.json', /MCowBQYDK2VwAyEA..../, 'MCowBQYDK2VwAyEAAAAA'),
      ],
      [
        'a list in the place of the attestation',
        (folder) => cp(join(folder, 'revocations.json'), join(folder, 'attestation.json')),
      ],
    ])('refuse %s', async (name, change) => {
      expect((await check(name.replaceAll(' ', '-'), change)).code).not.toBe(0);
    });

    test('refuse what was taken back, as the gate does', async () => {
      await app.run(revokeAttestation, given.owner, {
        attestationId: given.attestation.id,
        reason: 'the end of this test',
      });

      expect((await check('revoked')).code).not.toBe(0);
      const fresh = await writeDocuments(join(app.folder, 'fresh'));
      expect(await gate([given.folder, ...fresh])).toMatchObject({
        code: 1,
        out: expect.stringContaining('it was taken back (revoked)') as string,
      });
    });
  },
);
