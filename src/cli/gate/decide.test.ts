import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { revocationsType, statementType } from '../../features/attestations/proof/dsse.js';
import type { Demands } from '../../features/attestations/proof/judge.js';
import type { RevocationList } from '../../features/attestations/proof/revocations.js';
import { statementOf, type Predicate } from '../../features/attestations/proof/statement.js';
import { treeDigestOf } from '../../features/attestations/proof/tree.js';
import { canonicalBytes } from '../../kernel/audit.js';
import { newId } from '../../kernel/id.js';
import { openSigner, rotateSigningKeys } from '../../kernel/signer.js';
import { readFolder } from './folder.js';
import { attestation, hours, issuer, keysOf, listOf, openProofs, sha } from './proof.fixture.js';

const { place, signer, files, good, predicateOf, sealed, signed, ask, rulesOf } = await openProofs();
afterAll(() => rm(place, { recursive: true, force: true }));

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
      { numRuns: 2 },
    );

  test.each(['keys', 'revocations', 'attestation'] as const)('of the %s', { timeout: 120_000 }, everyByte);

  test.each(['keys', 'revocations', 'attestation'] as const)(
    'that is added to the %s or lacks',
    { timeout: 120_000 },
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

  test('of a file or of its name', { timeout: 120_000 }, async () => {
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

  test('what was moved in an emergency, only where that is asked for; it is marked, or has no approvals', async () => {
    const emergency = {
      incident: newId(),
      reason: 'Nonsense since noon',
      reviewDueAt: hours(72).toISOString(),
    };
    const sign = (change: Partial<Predicate>) =>
      signed(statementType, statementOf(predicateOf(change), files));
    const marked = await sign({ approvals: [], breakGlass: emergency });
    const old = await sign({ approvals: [] });
    const demands = { noBreakGlass: true };

    expect(await rulesOf({ attestation: marked })).toEqual([]);
    expect(await rulesOf({ attestation: old })).toEqual([]);
    expect(await rulesOf({ demands })).toEqual([]);
    expect(await rulesOf({ attestation: marked, demands })).toEqual(['break-glass']);
    expect(await rulesOf({ attestation: old, demands })).toEqual(['break-glass']);
    const [{ message } = { message: '' }] = (await ask({ attestation: marked, demands })).reasons;
    expect(message).toContain('"Nonsense since noon"');
    expect(message).toContain(emergency.incident);
  });

  test('what is not yet, or no longer, valid', async () => {
    expect(await rulesOf({ at: hours(-3) })).toEqual(['not-yet-valid']);
    expect(await rulesOf({ at: hours(48) })).toEqual(['expired']);
    expect(await rulesOf({ at: hours(47) })).toEqual([]);
  });

  test('what was revoked a moment ago by a clock that is ahead of ours', async () => {
    const at = new Date(hours(0).getTime() + 120_000).toISOString();
    for (const reason of ['SUPERSEDED', 'VERSION_DELETED', 'ENDPOINT_SUSPENDED'] as const) {
      const list = listOf({ issued: at, revoked: [{ at, attestation, reason }] });
      const revocations = await signed(revocationsType, list);

      expect(await rulesOf({ revocations })).toEqual(['revoked']);
      expect(await rulesOf({ revocations, at: hours(1) })).toEqual(['revoked']);
    }
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
    const withSubject = (subject: object[]) => signed(statementType, { ...statement, subject });

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
