import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installationRoot } from '../kernel/root.js';
import { createEndpoint } from '../features/deployments/index.js';
import { decide, givenCard, givenEvidence, givenRequest, type Given } from './given-change.js';
import { freshName, givenEnsemble, givenUseCase } from './given-version.js';
import type { TestApp } from './test-app.js';

/** An endpoint that serves the reference ensemble, approved in its use case. */
export interface GivenEndpoint extends Given {
  readonly id: string;
  readonly slug: string;
}

/** Registers a version of the reference ensemble, lets people approve it as champion and opens an endpoint. */
export const givenEndpoint = async (app: TestApp): Promise<GivenEndpoint> => {
  const { modelId, versionId } = await givenEnsemble(app);
  await app.drainJobs();
  const given: Given = {
    modelId,
    versionId,
    useCaseId: await givenUseCase(app),
    engineer: await app.actor('engineer'),
    validator: await app.actor('validator'),
    compliance: await app.actor('compliance'),
    owner: await app.actor('owner'),
  };
  await givenPromoted(app, given, versionId);
  const slug = freshName('routing');
  const { id } = await app.run(createEndpoint, given.owner, {
    slug,
    name: 'Income routing',
    useCaseId: given.useCaseId,
    modelId,
    alias: 'champion',
  });
  return { ...given, id, slug };
};

/** Makes a version the champion, with everything that the policy asks for. */
export const givenPromoted = async (app: TestApp, given: Given, versionId: string): Promise<void> => {
  const about = { ...given, versionId };
  await givenCard(app, about);
  await givenEvidence(app, about, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });
  const request = await givenRequest(app, given, versionId);
  await decide(app, given.validator, request);
  await decide(app, given.compliance, request);
  await app.drainJobs();
};

/** An application of the reference data. */
export interface SampleApplication {
  readonly inputs: Readonly<Record<string, number | string>>;
  readonly outcome: string;
}

/** Applications of people who are in no training data. */
export const sampleApplications = (): SampleApplication[] =>
  readFileSync(join(installationRoot, 'models', 'data', 'applications.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as SampleApplication);

/** An application whose stated income is plausible. */
export const rich = {
  age: 50,
  education_num: 14,
  capital_gain: 15024,
  capital_loss: 0,
  hours_per_week: 45,
  workclass: 'Private',
  occupation: 'Exec-managerial',
};

/** An application from which no high income follows. */
export const poor = {
  age: 22,
  education_num: 9,
  capital_gain: 0,
  capital_loss: 0,
  hours_per_week: 25,
  workclass: 'Private',
  occupation: 'Other-service',
};
