import { execFileSync } from 'node:child_process';
import { mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { statementType } from '../../features/attestations/proof/dsse.js';
import { statementOf } from '../../features/attestations/proof/statement.js';
import { treeDigestOf } from '../../features/attestations/proof/tree.js';
import { fetchDocuments } from './documents.js';
import { readFolder } from './folder.js';
import { openProofs } from './proof.fixture.js';

const { place, good, predicateOf, signed, ask, rulesOf } = await openProofs();
afterAll(() => rm(place, { recursive: true, force: true }));

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
