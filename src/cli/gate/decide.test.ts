import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { envelopeOf, pae, revocationsType, statementType } from '../../features/attestations/proof/dsse.js';
import type { Demands } from '../../features/attestations/proof/judge.js';
import type { RevocationList } from '../../features/attestations/proof/revocations.js';
import { statementOf, type Predicate, type Statement } from '../../features/attestations/proof/statement.js';
import { treeDigestOf, type TreeFile } from '../../features/attestations/proof/tree.js';
import { canonicalBytes } from '../../kernel/audit.js';
import { newId } from '../../kernel/id.js';
import { openSigner, rotateSigningKeys, type Signer } from '../../kernel/signer.js';
import { decide, type Verdict } from './decide.js';
import { fetchDocuments } from './documents.js';
import { readFolder } from './folder.js';

const issuer = 'https://countersign.test';
const now = new Date('2026-11-27T12:00:00.000Z');
const hours = (count: number): Date => new Date(now.getTime() + count * 3_600_000);
const sha = 'a'.repeat(64);

let place = '';
let folder = '';
let signer: Signer;
let files: TreeFile[];
let good: { keys: Buffer; revocations: Buffer; attestation: Buffer };

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'countersign-gate-'));
  folder = join(place, 'model');
  await mkdir(join(folder, 'nested'), { recursive: true });
  await writeFile(join(folder, 'model.bin'), 'weights of a model');
  await writeFile(join(folder, 'nested', 'a b.txt'), 'a space');
  signer = await openSigner(join(place, 'keys.json'), { createIfMissing: true, issuer });
  files = await readFolder(folder);
  good = {
    keys: keysOf(signer),
    revocations: await signed(revocationsType, listOf()),
    attestation: await signed(statementType, statementOf(predicateOf(), files)),
  };
});
afterAll(() => rm(place, { recursive: true, force: true }));

const keysOf = ({ publishedKeys }: Signer, name = issuer): Buffer =>
  Buffer.from(
    canonicalBytes({
      issuer: name,
      keys: publishedKeys.map(({ keyId, pem, signs }) => ({
        algorithm: 'ed25519',
        keyId,
        publicKey: pem,
        use: signs ? 'sign' : 'verify',
      })),
      schema: 'countersign.keys/1',
    }),
  );

/** Puts bytes into an envelope with a signature that holds. */
const sealed = async (type: string, payload: Buffer, by = signer): Promise<Buffer> => {
  const bytes = await by.sign(pae(type, payload));
  return Buffer.from(envelopeOf(type, payload, { keyId: by.keyId, bytes }));
};
const signed = (type: string, content: object, by = signer): Promise<Buffer> =>
  sealed(type, Buffer.from(canonicalBytes(content)), by);

const listOf = (change: Partial<RevocationList> = {}): RevocationList => ({
  coversFrom: hours(-9000).toISOString(),
  issued: hours(-1).toISOString(),
  issuer,
  nextUpdate: hours(23).toISOString(),
  number: 7,
  revoked: [{ at: hours(-30).toISOString(), attestation: newId(), reason: 'SUPERSEDED' }],
  schema: 'countersign.revocations/1',
  ...change,
});

const attestation = newId();
const predicateOf = (change: Partial<Predicate> = {}): Predicate => ({
  alias: 'champion',
  approvals: [{ at: hours(-2).toISOString(), person: 'b'.repeat(32), role: 'validator' }],
  attestation,
  changeRequest: { id: newId(), number: 3 },
  environment: 'production',
  evidence: [{ id: newId(), kind: 'FAIRNESS', required: true, sha256: sha, verdict: 'PASS' }],
  issuer,
  manifest: { sha256: sha },
  model: { id: newId(), name: 'routing' },
  number: 1,
  policy: { revision: 0, sha256: sha },
  tree: { files: files.length, sha256: treeDigestOf(files) },
  useCase: { id: newId(), riskTier: 'HIGH', slug: 'income' },
  validity: { notAfter: hours(48).toISOString(), notBefore: hours(-2).toISOString() },
  version: { id: newId(), number: 7 },
  workspace: 'main',
  ...change,
});

interface Asked {
  readonly keys?: Buffer;
  readonly revocations?: Buffer;
  readonly attestation?: Buffer;
  readonly files?: readonly TreeFile[] | null;
  readonly demands?: Demands;
  readonly at?: Date;
}

const ask = (asked: Asked = {}): Promise<Verdict> => {
  const { keys, revocations, attestation: envelope } = { ...good, ...asked };
  return decide({
    documents: { keys, revocations, attestations: [envelope] },
    files: asked.files === undefined ? files : asked.files,
    demands: asked.demands ?? {},
    at: asked.at ?? now,
    now,
  });
};
const rulesOf = async (asked: Asked): Promise<string[]> => (await ask(asked)).reasons.map(({ rule }) => rule);

test('what was approved passes, in the folder and by its name', async () => {
  const demands = {
    model: 'routing',
    version: 7,
    alias: 'champion',
    useCase: 'income',
    environment: 'production',
  };

  expect(await ask({ demands })).toMatchObject({ pass: true, reasons: [], listNumber: 7 });
  expect(await ask({ files: null })).toMatchObject({ pass: true });
});

describe('any change of one byte is refused', () => {
  /** Every place, each with another byte in its stead. */
  const everyByte = (name: 'keys' | 'revocations' | 'attestation') =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 255 }), async (flip) => {
        const passed: number[] = [];
        for (let index = 0; index < good[name].length; index += 1) {
          const changed = Buffer.from(good[name]);
          changed.writeUInt8(changed.readUInt8(index) ^ flip, index);
          if ((await ask({ [name]: changed })).pass) passed.push(index);
        }
        expect(passed).toEqual([]);
      }),
      { numRuns: 4 },
    );

  test.each(['keys', 'revocations', 'attestation'] as const)('of the %s', { timeout: 120_000 }, everyByte);

  test.each(['keys', 'revocations', 'attestation'] as const)(
    'that is added to the %s or lacks',
    async (name) => {
      for (let index = 0; index <= good[name].length; index += 1) {
        const bytes = good[name];
        const added = Buffer.concat([bytes.subarray(0, index), Buffer.from(' '), bytes.subarray(index)]);
        expect([index, (await ask({ [name]: added })).pass]).toEqual([index, false]);
        if (index === bytes.length) break;
        const lacking = Buffer.concat([bytes.subarray(0, index), bytes.subarray(index + 1)]);
        expect([index, (await ask({ [name]: lacking })).pass]).toEqual([index, false]);
      }
    },
  );

  test('of a file or of its name', async () => {
    const texts = fc.dictionary(
      fc.stringMatching(/^[a-zé😀]{1,6}(\/[a-z]{1,3})?\.x$/u).map((name) => name.normalize('NFC')),
      fc.uint8Array({ maxLength: 40 }),
      { minKeys: 1, maxKeys: 5 },
    );
    let round = 0;
    await fc.assert(
      fc.asyncProperty(texts, fc.nat(), fc.integer({ min: 1, max: 255 }), async (contents, at, flip) => {
        round += 1;
        const here = join(place, `round-${String(round)}`);
        for (const [path, content] of Object.entries(contents)) {
          await mkdir(join(here, path, '..'), { recursive: true });
          await writeFile(join(here, path), content);
        }
        const before = await readFolder(here);
        const predicate = predicateOf({ tree: { files: before.length, sha256: treeDigestOf(before) } });
        const envelope = await signed(statementType, statementOf(predicate, before));
        expect(await ask({ attestation: envelope, files: before })).toMatchObject({ pass: true });

        const [path = '', content = new Uint8Array()] =
          Object.entries(contents)[at % Object.keys(contents).length] ?? [];
        const changed = Buffer.from(content.length === 0 ? [0] : content);
        if (content.length > 0)
          changed.writeUInt8(changed.readUInt8(at % changed.length) ^ flip, at % changed.length);
        await writeFile(join(here, path), changed);
        expect(await rulesOf({ attestation: envelope, files: await readFolder(here) })).toEqual(['digest']);

        await writeFile(join(here, path), content);
        const renamed = before.map((file) => (file.path === path ? { ...file, path: `${path}y` } : file));
        expect(await rulesOf({ attestation: envelope, files: renamed })).toEqual(['digest', 'digest']);
      }),
      { numRuns: 40 },
    );
  });
});

describe('refused is', () => {
  test.each<[string, Demands, string]>([
    ['another model', { model: 'other' }, 'model'],
    ['another version', { version: 8 }, 'version'],
    ['another alias', { alias: 'challenger' }, 'alias'],
    ['another use', { useCase: 'credit' }, 'use-case'],
    ['another environment', { environment: 'staging' }, 'environment'],
  ])('%s', async (_, demands, rule) => {
    expect(await rulesOf({ demands })).toEqual([rule]);
  });

  test('what is not yet, or no longer, valid', async () => {
    expect(await rulesOf({ at: hours(-3) })).toEqual(['not-yet-valid']);
    expect(await rulesOf({ at: hours(48) })).toEqual(['expired']);
    expect(await rulesOf({ at: hours(47) })).toEqual([]);
  });

  test('what was revoked; before that it passed, unless it was taken back by a person', async () => {
    const revokedAs = (reason: 'SUPERSEDED' | 'REVOKED') =>
      signed(revocationsType, listOf({ revoked: [{ at: hours(-1).toISOString(), attestation, reason }] }));

    expect(await rulesOf({ revocations: await revokedAs('SUPERSEDED') })).toEqual(['revoked']);
    expect(await rulesOf({ revocations: await revokedAs('SUPERSEDED'), at: hours(-1.5) })).toEqual([]);
    expect(await rulesOf({ revocations: await revokedAs('REVOKED'), at: hours(-1.5) })).toEqual(['revoked']);
  });

  test('a list that is out of date, of the future, or does not reach back', async () => {
    const list = (change: Partial<RevocationList>) => signed(revocationsType, listOf(change));
    const stale = await list({ nextUpdate: hours(-0.1).toISOString() });

    expect(await rulesOf({ revocations: stale })).toEqual(['stale-list']);
    expect(await rulesOf({ revocations: stale, at: hours(-1) })).toEqual([]);
    expect(await rulesOf({ revocations: await list({ issued: hours(1).toISOString() }) })).toEqual([
      'stale-list',
    ]);
    expect(await rulesOf({ revocations: await list({ coversFrom: hours(1).toISOString() }) })).toEqual([
      'stale-list',
    ]);
  });

  test('what another key signed, or the same key for another issuer', async () => {
    const other = await openSigner(join(place, 'other.json'), { createIfMissing: true, issuer });
    const forged = await signed(statementType, statementOf(predicateOf(), files), other);
    const renamed = Buffer.from(forged.toString().replace(other.keyId, signer.keyId));

    expect(await rulesOf({ attestation: forged })).toEqual(['unknown-key']);
    expect(await rulesOf({ attestation: renamed })).toEqual(['signature']);
    expect(await rulesOf({ revocations: await signed(revocationsType, listOf(), other) })).toEqual([
      'unknown-key',
    ]);
    expect(await rulesOf({ keys: keysOf(signer, 'https://other.test') })).toEqual(['issuer']);
    expect(await rulesOf({ keys: keysOf(other) })).toEqual(['unknown-key']);
  });

  test('one document in the place of another, and another type of payload', async () => {
    expect(await rulesOf({ attestation: good.revocations })).toEqual(['payload-type']);
    expect(await rulesOf({ revocations: good.attestation })).toEqual(['payload-type']);
    expect(await rulesOf({ keys: good.attestation })).toEqual(['malformed']);
    const other = await signed('application/json', statementOf(predicateOf(), files));
    expect(await rulesOf({ attestation: other })).toEqual(['payload-type']);
  });

  test('an envelope with two signatures, none, or more than an envelope has', async () => {
    const envelope = JSON.parse(good.attestation.toString()) as { signatures: object[] };
    const spoilt = [
      { ...envelope, signatures: [] },
      { ...envelope, signatures: [...envelope.signatures, ...envelope.signatures] },
      { ...envelope, extra: 1 },
    ];
    for (const one of spoilt) {
      expect(await rulesOf({ attestation: Buffer.from(canonicalBytes(one)) })).toEqual(['malformed']);
    }
  });

  test.each<[string, (text: string) => string]>([
    ['doubled keys', (text) => text.replace('{"payload":', '{"payload":"AAAA","payload":')],
    ['a prototype', (text) => text.replace('{"payload":', '{"__proto__":{},"payload":')],
    ['a cut end', (text) => text.slice(0, -10)],
    ['nothing', () => ''],
    ['a byte order mark', (text) => `\uFEFF${text}`],
    ['brackets without end', () => '['.repeat(200_000)],
    ['brackets in brackets', () => '['.repeat(50_000) + ']'.repeat(50_000)],
    ['another spelling', (text) => JSON.stringify(JSON.parse(text) as unknown, null, 1)],
  ])('an envelope with %s', async (_, change) => {
    const [rule] = await rulesOf({ attestation: Buffer.from(change(good.attestation.toString())) });

    expect(['malformed', 'not-canonical']).toContain(rule);
  });

  test('bytes that are no text', async () => {
    expect(await rulesOf({ attestation: Buffer.from([0xff, 0xfe, 0x00]) })).toEqual(['malformed']);
  });

  test('a payload with doubled keys, although it is signed', async () => {
    const text = canonicalBytes(statementOf(predicateOf(), files)).replace(
      '"alias":',
      '"alias":"x","alias":',
    );

    expect(await rulesOf({ attestation: await sealed(statementType, Buffer.from(text)) })).toEqual([
      'not-canonical',
    ]);
  });

  test('a statement whose files are not its tree, or lead out of it', async () => {
    const statement = statementOf(predicateOf(), files);
    const [tree, first, ...others] = statement.subject;
    const withSubject = (subject: object[]) => signed(statementType, { ...statement, subject } as Statement);

    expect(await rulesOf({ attestation: await withSubject([tree ?? {}, ...others]) })).toEqual(['malformed']);
    expect(await rulesOf({ attestation: await withSubject(others) })).toEqual(['malformed']);
    const outside = { ...first, name: '../model.bin' };
    expect(await rulesOf({ attestation: await withSubject([tree ?? {}, outside, ...others]) })).toEqual([
      'path',
    ]);
  });

  test('an empty folder, even when nothing was approved with files', async () => {
    const empty = predicateOf({ tree: { files: 0, sha256: treeDigestOf([]) } });
    const envelope = await signed(statementType, statementOf(empty, []));

    expect(await rulesOf({ attestation: envelope, files: [] })).toEqual(['empty']);
  });
});

test('the reasons name the files that differ, five at most', async () => {
  const more = Array.from({ length: 9 }, (_, index) => ({ path: `new-${String(index)}`, sha256: sha }));
  const changed = files.map((file, index) => (index === 0 ? { ...file, sha256: sha } : file)).slice(0, 1);
  const { reasons } = await ask({ files: [...changed, ...more] });

  expect(reasons.map(({ message }) => message)).toEqual([
    'The folder differs from what was approved: "model.bin" has another content',
    expect.stringMatching(/"new-4" and 4 more was not approved$/),
    'The folder differs from what was approved: "nested/a b.txt" is missing',
  ]);
});

test('after a rotation of the keys what the former one signed still passes', async () => {
  const path = join(place, 'rotated.json');
  const before = await openSigner(path, { createIfMissing: true, issuer });
  const envelope = await signed(statementType, statementOf(predicateOf(), files), before);
  await rotateSigningKeys(path);
  const after = await openSigner(path, { createIfMissing: false, issuer });

  const revocations = await signed(revocationsType, listOf(), after);

  expect(await ask({ keys: keysOf(after), revocations, attestation: envelope })).toMatchObject({
    pass: true,
  });
});

describe('a folder', () => {
  const made = async (name: string): Promise<string> => {
    const path = join(place, name);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'model.bin'), 'x');
    return path;
  };

  test('has the digest that sha256sum prints, whatever the order of its letters', async () => {
    const path = await made('sorted');
    for (const name of ['Z', 'a b', 'é', '～', '😀', '-x', 'b']) await writeFile(join(path, name), name);
    const command = `find . -type f | cut -c3- | LC_ALL=C sort | xargs -r -d '\\n' sha256sum -- | sha256sum | cut -d' ' -f1`;

    const printed = execFileSync('bash', ['-c', command], { cwd: path }).toString().trim();

    expect(treeDigestOf(await readFolder(path))).toBe(printed);
  });

  test('with a link in it, to a file or a folder, is refused; a link to the folder itself is followed', async () => {
    const path = await made('linked');
    const door = join(place, 'door');
    await symlink(path, door);
    expect(await readFolder(door)).toEqual(await readFolder(path));
    await symlink('/etc/hostname', join(path, 'file'));
    await expect(readFolder(path)).rejects.toMatchObject({ rule: 'symlink' });
    await rm(join(path, 'file'));
    await symlink('..', join(path, 'folder'));
    await expect(readFolder(path)).rejects.toMatchObject({ rule: 'symlink' });
  });

  test('with a pipe in it is refused, and not waited for', async () => {
    const path = await made('piped');
    execFileSync('mkfifo', [join(path, 'pipe')]);

    await expect(readFolder(path)).rejects.toMatchObject({ rule: 'symlink' });
  });

  test.each([
    ['a line feed', Buffer.from('a\nb')],
    ['a backslash', Buffer.from('a\\b')],
    ['bytes that are no text', Buffer.from([0x61, 0xff])],
    ['a decomposed letter', Buffer.from('e\u0301')],
  ])('with a name that holds %s is refused', async (name, bytes) => {
    const path = await made(`names of ${name}`);
    await writeFile(Buffer.concat([Buffer.from(`${path}/`), bytes]), 'x');

    await expect(readFolder(path)).rejects.toMatchObject({ rule: 'path' });
  });

  test(
    'with ten thousand files, and one with a file of 300 MB, is read piece by piece',
    { timeout: 120_000 },
    async () => {
      const path = await made('many');
      for (let part = 0; part < 100; part += 1) {
        await mkdir(join(path, String(part)));
        await Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            writeFile(join(path, String(part), String(index)), `${String(part)} ${String(index)}`),
          ),
        );
      }
      await writeFile(join(path, 'large'), '');
      await truncate(join(path, 'large'), 300 * 1024 * 1024);
      const before = process.memoryUsage.rss();

      const read = await readFolder(path);

      expect(read).toHaveLength(10_002);
      expect(process.memoryUsage.rss() - before).toBeLessThan(150 * 1024 * 1024);
      const predicate = predicateOf({ tree: { files: read.length, sha256: treeDigestOf(read) } });
      const envelope = await signed(statementType, statementOf(predicate, read));
      expect(await ask({ attestation: envelope, files: read })).toMatchObject({ pass: true });
      expect(await rulesOf({ attestation: envelope, files: read.slice(1) })).toEqual(['digest']);
    },
  );
});

describe('a document', () => {
  const from = (attestationPath: string) =>
    ({
      kind: 'files',
      attestation: attestationPath,
      keys: join(place, 'k'),
      revocations: join(place, 'l'),
    }) as const;

  test('that is huge, a pipe, or not there, is not read and is no verdict', async () => {
    await writeFile(join(place, 'k'), good.keys);
    await writeFile(join(place, 'l'), good.revocations);
    const huge = join(place, 'huge');
    await writeFile(huge, '');
    await truncate(huge, 5 * 1024 ** 3);
    const pipe = join(place, 'document-pipe');
    execFileSync('mkfifo', [pipe]);

    for (const [path, sentence] of [
      [huge, 'is larger'],
      [pipe, 'no plain file'],
      [join(place, 'nothing'), 'cannot be read'],
    ] as const) {
      await expect(fetchDocuments(from(path), null, {})).rejects.toThrow(sentence);
    }
  });
});
