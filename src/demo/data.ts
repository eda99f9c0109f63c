import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Package } from './acts.js';
import type { Client } from './client.js';

/** What is known of the census data beside what the manifest says. */
const description =
  'Census of the United States, 1994: stated and derived attributes of adults, and whether income is above 50,000.';
const protectedAttributes = ['age', 'sex', 'race', 'marital_status', 'relationship', 'native_country'];

const isThere = async (client: Client, name: string): Promise<boolean> => {
  const { datasets } = await client.ask<{ datasets: { nodes: { name: string }[] } }>(
    `query ($search: String) { datasets(search: $search, first: 200) { nodes { name } } }`,
    { search: name },
  );
  return datasets.nodes.some((one) => one.name === name);
};

const created = async (client: Client, field: string, type: string, input: object): Promise<string> => {
  const answer = await client.ask<Record<string, { id: string }>>(
    `mutation ($input: ${type}!) { ${field}(input: $input) { id } }`,
    { input },
  );
  return answer[field]?.id ?? '';
};

const upload = async (client: Client, id: string, file: string): Promise<void> => {
  const body = await readFile(file);
  const digest = createHash('sha256').update(body).digest('hex');
  const response = await client.request(`/v1/dataset-versions/${id}/content`, {
    method: 'PUT',
    headers: { 'content-type': 'application/gzip', 'content-sha256': digest },
    body,
  });
  if (response.ok) return;
  throw new Error(`The data was refused (${String(response.status)}): ${await response.text()}`);
};

/**
 * Registers the data that the reference ensemble was made from, part by part. Its profile is computed in the
 * background: nobody waits for it here. Versions name the data by digest, so they lead to it from now on.
 */
export const registerData = async (client: Client, { folder, manifest }: Package): Promise<void> => {
  for (const { file, role, source, licence } of manifest.data) {
    const name = `uci-adult-${role}`;
    if (await isThere(client, name)) continue;
    const datasetId = await created(client, 'createDataset', 'DatasetCreateInput', { name, description });
    const said = { datasetId, licence, provenance: source, protectedAttributes };
    const id = await created(client, 'createDatasetVersion', 'DatasetVersionCreateInput', said);
    await upload(client, id, join(folder, file));
  }
};
