import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installationRoot } from '../../kernel/root.js';
import { readPackage } from '../acts.js';
import type { World } from './world.js';

interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** The program itself, as a pipeline would run it: no server, no database, nothing in its environment. */
const runGate = async (args: readonly string[]): Promise<Ended> => {
  const main = join(installationRoot, 'dist', 'main.js');
  const child = spawn(process.execPath, [main, 'gate', ...args], {
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, lines: said.trim().split('\n') };
};

/** The files of the version, as somebody else would have got them. */
const copyModel = async (folder: string): Promise<void> => {
  await rm(folder, { recursive: true, force: true });
  for (const { path, file } of (await readPackage('1.1.0')).files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await copyFile(file, join(folder, path));
  }
};

const fetchInto = async ({ account, people }: World, path: string, file: string): Promise<void> => {
  const response = await people.auditor.request(path);
  account.holds(response.ok, `${path} answered ${String(response.status)}`);
  await writeFile(file, Buffer.from(await response.arrayBuffer()));
};

/** Outside, the gate lets the approved folder in and refuses it with one byte changed. */
export const passGate = async (world: World, versionId: string, folder: string): Promise<void> => {
  const { account, people } = world;
  const place = join(folder, 'gate');
  const documents = {
    attestation: join(place, 'attestation.json'),
    keys: join(place, 'keys.json'),
    revocations: join(place, 'revocations.json'),
  };
  const model = join(place, 'model');
  const useCase = await account.step(
    people.auditor.name,
    'takes the attestation, the keys and the revocation list',
    async () => {
      const { attestation } = await people.auditor.ask<{
        attestation: { id: string; number: number; useCase: string };
      }>(
        `query ($versionId: ID!) { attestation(versionId: $versionId, alias: "champion") { id number useCase } }`,
        { versionId },
      );
      await copyModel(model);
      await fetchInto(world, `/v1/attestations/${attestation.id}`, documents.attestation);
      await fetchInto(world, '/.well-known/countersign/keys.json', documents.keys);
      await fetchInto(world, '/v1/revocations', documents.revocations);
      account.fact(`attestation #${String(attestation.number)}, in ${place}`);
      return attestation.useCase;
    },
  );
  const args = [
    model,
    ...['--alias', 'champion', '--use-case', useCase, '--environment', 'production'],
    ...Object.entries(documents).flatMap(([name, file]) => [`--${name}`, file]),
  ];
  await account.step('A pipeline', 'asks the gate, offline, whether the folder may run', async () => {
    const { code, lines } = await runGate(args);
    for (const line of lines) account.fact(line);
    account.holds(code === 0, 'The gate refused the approved folder');
  });
  await account.step('A pipeline', 'asks again after one byte of the model was changed', async () => {
    const file = join(model, 'xgboost.onnx');
    const bytes = await readFile(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    await writeFile(file, bytes);
    const { code, lines } = await runGate(args);
    for (const line of lines) account.fact(line);
    account.holds(code === 1, 'The gate let a changed folder in');
    account.holds(lines.join().includes('xgboost.onnx'), 'The gate does not name the changed file');
  });
};
