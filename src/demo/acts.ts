import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { installationRoot } from '../kernel/root.js';
import type { Client } from './client.js';

/**
 * What people of the demo do, over the public API and nothing else. The first start plays them with version 1.0.0,
 * the story with 1.1.0.
 */

/** Tells somebody who waits how far a job is. */
export type Watcher = (job: { readonly progress: number; readonly message: string }) => void;

const manifestSchema = z.object({
  version: z.string(),
  description: z.string(),
  members: z.array(z.object({ file: z.string() })),
  background: z.object({ file: z.string() }),
  data: z.array(
    z.object({
      file: z.string(),
      sha256: z.string(),
      role: z.string(),
      source: z.string(),
      licence: z.string(),
    }),
  ),
  metrics: z.object({
    heldout: z.object({ accuracy: z.object({ value: z.number() }), auc: z.object({ value: z.number() }) }),
  }),
});

/** A version of the reference ensemble, as it lies in `models/`. */
export interface Package {
  readonly folder: string;
  readonly manifest: z.output<typeof manifestSchema>;
  /** Files to upload: path in the version → local file. */
  readonly files: readonly { readonly path: string; readonly file: string }[];
  /** Where the held-out rows are, as a path in the version. */
  readonly heldout: string;
}

/** Files outside of the version's folder are uploaded under the end of their path: `../../data/x` → `data/x`. */
const inVersion = (file: string): string => file.replace(/^(\.\.\/)+/, '');

/** Reads a version of the reference ensemble from `models/income-routing`. */
export const readPackage = async (version: string): Promise<Package> => {
  const folder = join(installationRoot, 'models', 'income-routing', version);
  const manifest = manifestSchema.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
  const inside = (await readdir(folder)).map((name) => ({ path: name, file: join(folder, name) }));
  const heldout = manifest.data.find((one) => one.role === 'heldout');
  if (!heldout) throw new Error(`models/income-routing/${version}/manifest.json names no held-out data`);
  const outside = [{ path: inVersion(heldout.file), file: join(folder, heldout.file) }];
  return { folder, manifest, files: [...inside, ...outside], heldout: inVersion(heldout.file) };
};

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const upload = async (client: Client, versionId: string, path: string, file: string): Promise<void> => {
  const bytes = await readFile(file);
  const response = await client.request(`/v1/model-versions/${versionId}/artifacts/${path}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'content-sha256': sha256(bytes) },
    body: bytes,
  });
  const answer = await response.text();
  if (!response.ok)
    throw new Error(`The upload of ${path} was refused (${String(response.status)}): ${answer}`);
};

/** Registers a version with all its files and hands it in for intake. */
export const registerVersion = async (
  client: Client,
  modelId: string,
  from: Package,
  parentVersionId: string | null,
): Promise<{ versionId: string; jobId: string }> => {
  const { heldout } = from.manifest.metrics;
  const { createModelVersion } = await client.ask<{ createModelVersion: { id: string } }>(
    `mutation ($input: ModelVersionCreateInput!) { createModelVersion(input: $input) { id } }`,
    {
      input: {
        modelId,
        description: from.manifest.description,
        metrics: { heldout_accuracy: heldout.accuracy.value, heldout_auc: heldout.auc.value },
        params: { release: from.manifest.version },
        datasets: from.manifest.data.map(({ file, sha256: digest, role }) => ({
          name: inVersion(file),
          sha256: digest,
          role,
        })),
        parentVersionId,
      },
    },
  );
  const versionId = createModelVersion.id;
  for (const { path, file } of from.files) await upload(client, versionId, path, file);
  const { submitModelVersion } = await client.ask<{ submitModelVersion: { jobId: string } }>(
    `mutation ($input: ModelVersionSubmitInput!) { submitModelVersion(input: $input) { id jobId } }`,
    { input: { versionId } },
  );
  return { versionId, jobId: submitModelVersion.jobId };
};

interface JobAnswer {
  readonly job: { readonly state: string; readonly progress: number; readonly message: string };
}

const pollMs = 150;

/** Waits until a job is done; throws with its own words when it failed. */
export const finishJob = async (
  client: Client,
  jobId: string,
  watch: Watcher = () => undefined,
): Promise<void> => {
  const deadline = Date.now() + 300_000;
  while (Date.now() < deadline) {
    const { job } = await client.ask<JobAnswer>(
      `query ($id: ID!) { job(id: $id) { state progress message } }`,
      { id: jobId },
    );
    watch(job);
    if (job.state === 'DONE') return;
    if (job.state === 'FAILED') throw new Error(`The job failed: ${job.message}`);
    await sleep(pollMs);
  }
  throw new Error('The job did not end within five minutes; is a worker running?');
};

/** Starts the evaluation of a version over its held-out rows and waits for it. */
export const evaluate = async (
  client: Client,
  versionId: string,
  useCaseId: string,
  datasetPath: string,
  watch?: Watcher,
): Promise<string> => {
  const { startEvaluation } = await client.ask<{ startEvaluation: { id: string; jobId: string } }>(
    `mutation ($input: EvaluationStartInput!) { startEvaluation(input: $input) { id jobId } }`,
    { input: { versionId, useCaseId, datasetPath } },
  );
  await finishJob(client, startEvaluation.jobId, watch);
  return startEvaluation.id;
};

/** What the card of the reference ensemble says; sources are in models/README.md. */
export const cardTexts: Readonly<Record<string, unknown>> = {
  intendedUse:
    'Routes the verification of a stated income: accept it, ask for documents, or refer to a person. It never refuses anybody.',
  outOfScopeUse:
    'Granting or refusing credit, employment or benefits; any country or year other than that of the data.',
  peopleAffected: 'Applicants whose stated income is accepted, or who are asked for documents first.',
  limitations:
    'Trained on the 1994 census extract known as UCI Adult. The 50,000 threshold and the population are of that year; ' +
    'see Ding and others, Retiring Adult, 2021.',
  ethicalConsiderations:
    'Sex, race, origin, marital status and relationship are never inputs; that costs about two points of accuracy. ' +
    'Groups are watched over populations, and no single decision depends on them.',
  humanOversight:
    'Cases near the margin, unusual ones and those where the members disagree go to a reviewer. The owner can suspend the endpoint at once.',
  contact: 'The owner of the use case.',
  users: ['Clerks who verify incomes, and the reviewers to whom cases are referred.'],
  task: 'tabular-classification',
  learningApproach: 'supervised',
  architecture:
    'Soft vote of boosted trees, extremely randomised trees and logistic regression, calibrated by Platt scaling.',
  tradeoffs: ['About two points of accuracy are given up, so that no protected characteristic is an input.'],
  risks: [
    {
      name: 'Somebody is asked for documents although the stated income is right.',
      mitigation: 'Unsure cases go to a reviewer, and the note says what would have to be different.',
      residual: 'Delay of some days for the person.',
    },
    {
      name: 'Groups are asked for documents at different rates, since their outcomes differ in the data of 1994.',
      mitigation:
        'Rates of groups are measured with every version and watched; the owner can suspend the endpoint.',
      residual: 'The difference remains in the data, and is reported.',
    },
  ],
  dataSheets: [
    {
      dataset: 'data/adult-train.csv.gz',
      provenance: 'UCI Adult (Becker and Kohavi, 1996), an extract of the US census of 1994.',
      sensitive: ['sex', 'race'],
      licence: 'CC-BY-4.0',
      url: 'https://doi.org/10.24432/C5XW20',
    },
  ],
  links: [{ label: 'Retiring Adult, 2021', url: 'https://arxiv.org/abs/2108.04884' }],
};

/**
 * What the owner answers about the risk of routing income verification. It has a part in a process of credit, so it is
 * taken as high risk, although it never refuses anybody: that nothing is refused does not take it out of Annex III.
 */
const riskAnswers: Readonly<Record<string, string>> = {
  purpose: 'effort-of-people',
  people: 'thousands',
  vulnerableGroups: 'among-others',
  autonomy: 'decides-usual-cases',
  harm: 'inconvenience',
  reversibility: 'with-effort',
  data: 'proxies',
  legal: 'annex-iii-5',
  complexity: 'ensemble',
  materiality: 'moderate',
  dependence: 'third-party-known',
};

const riskMitigations: Readonly<Record<string, string>> = {
  'human-review':
    'Cases near the margin, unusual ones and those where the members disagree go to a reviewer.',
  stop: 'The owner and compliance can suspend the endpoint at once.',
  exclusions: 'The manifest excludes sex, race, origin, marital status and relationship; intake enforces it.',
  explanations: 'Exact Shapley values of each decision, with what would have to be different.',
};

/** Assesses the risk of the use case unless somebody did. */
export const needRiskAssessment = async (client: Client, useCaseId: string): Promise<void> => {
  const { riskAssessments } = await client.ask<{ riskAssessments: { nodes: readonly object[] } }>(
    `query ($useCaseId: ID!) { riskAssessments(useCaseId: $useCaseId, first: 1) { nodes { id } } }`,
    { useCaseId },
  );
  if (riskAssessments.nodes.length > 0) return;
  const answers = Object.entries(riskAnswers).map(([question, answer]) => ({ question, answers: [answer] }));
  const mitigations = Object.entries(riskMitigations).map(([id, how]) => ({ id, how }));
  await client.ask(`mutation ($input: UseCaseAssessRiskInput!) { assessRisk(input: $input) { id } }`, {
    input: { useCaseId, answers, mitigations, note: 'Answered for the reference system with its demo data.' },
  });
};

/** Fills the card of a version in a use case. */
export const fillCard = async (client: Client, versionId: string, useCaseId: string): Promise<void> => {
  const fields = Object.entries(cardTexts).map(([name, value]) => ({ name, value }));
  await client.ask(`mutation ($input: CardUpdateInput!) { updateCard(input: $input) { id } }`, {
    input: { versionId, useCaseId, fields },
  });
};

/** Asks that `champion` moves to a version. */
export const requestPromotion = async (
  client: Client,
  versionId: string,
  useCaseId: string,
  reason: string,
): Promise<string> => {
  const { requestPromotion: opened } = await client.ask<{ requestPromotion: { id: string } }>(
    `mutation ($input: ChangeRequestCreateInput!) { requestPromotion(input: $input) { id } }`,
    { input: { versionId, alias: 'champion', useCaseId, reason } },
  );
  return opened.id;
};

/** Approves a change request; answers the state it is in then. */
export const approve = async (client: Client, changeRequestId: string, reason: string): Promise<string> => {
  const { decideChange } = await client.ask<{ decideChange: { state: string } }>(
    `mutation ($input: ChangeRequestDecideInput!) { decideChange(input: $input) { id state } }`,
    { input: { changeRequestId, verdict: 'APPROVE', reason } },
  );
  return decideChange.state;
};
