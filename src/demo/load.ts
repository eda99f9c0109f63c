import { registerData } from './data.js';
import { personOf } from './people.js';
import { signIn, type Client } from './client.js';
import {
  approve,
  evaluate,
  fillCard,
  finishJob,
  needRiskAssessment,
  readPackage,
  registerVersion,
  requestPromotion,
} from './acts.js';

/** Tells how far the loading is. */
export type Progress = (message: string) => void;

const useCase = {
  slug: 'income-verification-routing',
  name: 'Income verification routing',
  purpose:
    'Decides whether a stated income is accepted as it is, documents are asked for, or a person looks at it.',
  peopleAffected: 'Applicants who state an income.',
  riskTier: 'HIGH',
};

const findUseCase = async (client: Client): Promise<string | undefined> => {
  const { useCases } = await client.ask<{ useCases: { nodes: { id: string; slug: string }[] } }>(
    `{ useCases(first: 200) { nodes { id slug } } }`,
  );
  return useCases.nodes.find((one) => one.slug === useCase.slug)?.id;
};

const needUseCase = async (owner: Client): Promise<string> => {
  const known = await findUseCase(owner);
  if (known !== undefined) return known;
  const { createUseCase } = await owner.ask<{ createUseCase: { id: string } }>(
    `mutation ($input: UseCaseCreateInput!) { createUseCase(input: $input) { id } }`,
    { input: useCase },
  );
  return createUseCase.id;
};

interface FoundModel {
  readonly id: string;
  readonly name: string;
  readonly aliases: readonly { readonly name: string }[];
}

const findModel = async (client: Client): Promise<FoundModel | undefined> => {
  const { models } = await client.ask<{ models: { nodes: FoundModel[] } }>(
    `{ models(first: 200) { nodes { id name aliases { name } } } }`,
  );
  return models.nodes.find((model) => model.name === 'income-routing');
};

const needModel = async (engineer: Client): Promise<FoundModel> => {
  const known = await findModel(engineer);
  if (known) return known;
  await engineer.ask(`mutation ($input: ModelCreateInput!) { createModel(input: $input) { id } }`, {
    input: {
      name: 'income-routing',
      kind: 'ONNX',
      description:
        'Soft-voted, calibrated ensemble that estimates whether income is above 50,000 (UCI Adult, 1994).',
    },
  });
  const created = await findModel(engineer);
  if (!created) throw new Error('The model income-routing was created but cannot be read');
  return created;
};

const needEndpoint = async (owner: Client, useCaseId: string, modelId: string): Promise<void> => {
  const { endpoints } = await owner.ask<{ endpoints: { nodes: { slug: string }[] } }>(
    `{ endpoints(first: 200) { nodes { slug } } }`,
  );
  if (endpoints.nodes.some((endpoint) => endpoint.slug === 'income-verification')) return;
  await owner.ask(`mutation ($input: EndpointCreateInput!) { createEndpoint(input: $input) { id } }`, {
    input: {
      slug: 'income-verification',
      name: 'Income verification',
      useCaseId,
      modelId,
      alias: 'champion',
    },
  });
};

/** Registers version 1.0.0, measures it, and has it approved by the two people the policy asks for. */
const bringFirstChampion = async (
  useCaseId: string,
  modelId: string,
  server: string,
  say: Progress,
): Promise<void> => {
  const [engineer, validator, compliance] = await Promise.all(
    (['engineer', 'validator', 'compliance'] as const).map((role) => signIn(server, personOf(role))),
  );
  if (!engineer || !validator || !compliance) throw new Error('The people of the demo could not sign in');
  say('registering income-routing 1.0.0');
  const first = await readPackage('1.0.0');
  const { versionId, jobId } = await registerVersion(engineer, modelId, first, null);
  await fillCard(engineer, versionId, useCaseId);
  say('opening its files in a sandbox');
  await finishJob(engineer, jobId);
  await evaluate(engineer, versionId, useCaseId, first.heldout, ({ message }) => {
    if (message !== '') say(`measuring it: ${message}`);
  });
  say('asking for approval, and giving it');
  const changeId = await requestPromotion(engineer, versionId, useCaseId, 'First champion of the use case.');
  await approve(validator, changeId, 'Held-out metrics and calibration reproduced.');
  await approve(compliance, changeId, 'Exclusions and group figures read; intended use is described.');
};

/** Fills the demo workspace over the public API, whatever of it is missing; safe to repeat. */
export const loadDemo = async (server: string, say: Progress): Promise<void> => {
  const [owner, engineer] = await Promise.all([
    signIn(server, personOf('owner')),
    signIn(server, personOf('engineer')),
  ]);
  const useCaseId = await needUseCase(owner);
  await needRiskAssessment(owner, useCaseId);
  const model = await needModel(engineer);
  if (!model.aliases.some((alias) => alias.name === 'champion')) {
    await bringFirstChampion(useCaseId, model.id, server, say);
  }
  await needEndpoint(owner, useCaseId, model.id);
  await registerData(engineer, await readPackage('1.0.0'));
};
