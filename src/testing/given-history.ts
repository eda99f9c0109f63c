import { z } from 'zod';
import type { UserActor } from '../kernel/actor.js';
import { defineCommand } from '../kernel/command.js';
import { AppError } from '../kernel/errors.js';
import { proposePolicy, requestPromotion, withdrawDecision } from '../features/approvals/index.js';
import { initialPolicy } from '../features/approvals/policy-in-force.js';
import { updateCard } from '../features/cards/index.js';
import {
  createModel,
  createModelVersion,
  deleteAlias,
  deleteModel,
  deleteModelVersion,
  renameModel,
  setAlias,
  submitModelVersion,
} from '../features/registry/index.js';
import { decide, givenEvidence } from './given-change.js';
import type { TestApp } from './test-app.js';

/** Stages are moved by the protocol of MLflow; here by a command that does no more than that. */
const moveStage = defineCommand({
  name: 'modelVersion.moveStageForTest',
  describe: 'Stands for a stage transition.',
  permission: 'alias:set',
  input: z.object({ versionId: z.uuid(), stage: z.string() }),
  target: (_tx, input) => Promise.resolve({ id: input.versionId }),
  handle: async ({ tx, input: { versionId, stage } }) => {
    await tx.sql('update model_version set stage = $2 where id = $1 and deleted_at is null', [
      versionId,
      stage,
    ]);
    return {
      result: null,
      audit: {
        subject: { kind: 'modelVersion', id: versionId },
        changes: { stage: { from: null, to: stage } },
      },
    };
  },
});

/** A number that looks like chance and is the same in every run. */
export const chance = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

/** Does what people do to a registry, as chance has it. */
export class Player {
  readonly models: string[] = [];
  readonly versions: { id: string; modelId: string }[] = [];
  readonly requests: string[] = [];
  #revision = 0;

  constructor(
    readonly app: TestApp,
    readonly engineer: UserActor,
    readonly pick: (below: number) => number,
    readonly names: readonly string[],
    readonly useCases: readonly string[],
  ) {}

  #of<Item>(items: readonly Item[]): Item {
    const item = items[this.pick(items.length)];
    if (item === undefined) throw new AppError('NOT_FOUND', 'nothing to choose from');
    return item;
  }

  readonly deeds: readonly (() => Promise<unknown>)[] = [
    () => this.create(),
    () => this.create(),
    () => this.addVersion(),
    () => this.addVersion(),
    () => this.addVersion(),
    () =>
      this.app.run(setAlias, this.engineer, {
        ...this.version(),
        name: this.#of(['blue', 'green']),
        useCaseId: this.#of(this.useCases),
      }),
    () => this.app.run(setAlias, this.engineer, { ...this.version(), name: this.#of(['blue', 'green']) }),
    () =>
      this.app.run(deleteAlias, this.engineer, {
        modelId: this.#of(this.models),
        name: this.#of(['blue', 'green', 'champion']),
      }),
    () =>
      this.app.run(renameModel, this.engineer, {
        modelId: this.#of(this.models),
        name: this.#of(this.names),
      }),
    () => this.card(),
    () => this.card(),
    () => this.promote(),
    () => this.promote(),
    () => this.judge(),
    () => this.judge(),
    () => this.judge(),
    () =>
      this.app.run(withdrawDecision, this.engineer, {
        changeRequestId: this.#of(this.requests),
        reason: 'again',
      }),
    () =>
      this.app.run(moveStage, this.engineer, {
        versionId: this.version().versionId,
        stage: this.#of(['None', 'Staging', 'Production']),
      }),
    () => this.app.run(deleteModelVersion, this.engineer, { versionId: this.version().versionId }),
    () => this.app.run(deleteModel, this.engineer, { modelId: this.#of(this.models) }),
    () => this.policy(),
    () => this.app.drainJobs(),
  ];

  version(): { modelId: string; versionId: string } {
    const { id, modelId } = this.#of(this.versions);
    return { modelId, versionId: id };
  }

  async create(): Promise<void> {
    const { id } = await this.app.run(createModel, this.engineer, {
      name: this.#of(this.names),
      kind: 'EXTERNAL',
    });
    this.models.push(id);
    await this.addVersion(id);
  }

  async addVersion(of?: string): Promise<void> {
    const modelId = of ?? this.#of(this.models);
    const { id } = await this.app.run(createModelVersion, this.engineer, { modelId });
    await this.app.run(submitModelVersion, this.engineer, { versionId: id });
    this.versions.push({ id, modelId });
  }

  async card(): Promise<void> {
    const place = { versionId: this.version().versionId, useCaseId: this.#of(this.useCases) };
    const value = this.pick(4) === 0 ? null : `use ${String(this.pick(1000))}`;
    await this.app.run(updateCard, this.engineer, { ...place, fields: [{ name: 'intendedUse', value }] });
  }

  async promote(): Promise<void> {
    const place = { versionId: this.version().versionId, useCaseId: this.#of(this.useCases) };
    const fields = ['intendedUse', 'limitations', 'humanOversight'].map((name) => ({ name, value: 'said' }));
    await this.app.run(updateCard, this.engineer, { ...place, fields });
    await givenEvidence(this.app, place, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });
    const { id } = await this.app.run(requestPromotion, this.engineer, {
      ...place,
      alias: 'champion',
      reason: 'better',
    });
    this.requests.push(id);
  }

  async judge(): Promise<void> {
    const role = this.#of(['validator', 'compliance'] as const);
    const verdict = this.#of(['APPROVE', 'APPROVE', 'APPROVE', 'REQUEST_CHANGES', 'REJECT'] as const);
    await decide(this.app, await this.app.actor(role), this.#of(this.requests), verdict);
  }

  async policy(): Promise<void> {
    if (this.pick(3) > 0) return;
    this.#revision += 1;
    const document = { ...initialPolicy('enforced').document, expireAfterDays: 20 + this.#revision };
    const { id } = await this.app.run(proposePolicy, this.engineer, {
      document,
      source: 'test',
      reason: 'other days',
    });
    await decide(this.app, await this.app.actor('validator'), id);
    await decide(this.app, await this.app.actor('compliance'), id);
  }
}
