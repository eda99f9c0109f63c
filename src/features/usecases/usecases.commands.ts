import { z } from 'zod';
import type { Actor } from '../../kernel/actor.js';
import { defineCommand } from '../../kernel/command.js';
import type { ReadDb, Tx } from '../../kernel/db.js';
import { AppError, conflict, invalidInput, notFound } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import { Member, slug } from '../workspaces/index.js';
import { riskTier, UseCase, type RiskTier } from './use-case.entity.js';

const text = z.string().trim().min(1);

const fields = {
  name: text.max(200).describe('What it is called.'),
  purpose: text.max(4000).describe('What is decided with it, and what for.'),
  peopleAffected: text.max(4000).describe('Who is affected by the decisions.'),
  riskTier,
};

/** The use case, or NOT_FOUND. */
export const useCaseOr404 = async (db: ReadDb, id: string): Promise<UseCase> => {
  const found = await db.findOne(UseCase, { id });
  if (!found) throw notFound('The use case');
  return found;
};

const requireMember = async (tx: Tx, userId: string): Promise<void> => {
  if (await tx.findOne(Member, { userId })) return;
  throw invalidInput('The owner must be a person of this workspace', [
    { path: 'ownerId', message: 'is not a member of this workspace' },
  ]);
};

const ownerFor = (actor: Actor, given: string | null | undefined): string => {
  if (given) return given;
  if (actor.kind === 'user') return actor.id;
  throw invalidInput('A use case needs a person who answers for it', [
    { path: 'ownerId', message: 'is required when no person creates it' },
  ]);
};

export const createUseCase = defineCommand({
  name: 'useCase.create',
  describe:
    'Describes an intended use of models. Whoever creates it owns it, unless another person is named.',
  permission: 'useCase:create',
  input: z.object({ slug, ...fields, ownerId: z.uuid().nullish() }),
  target: () => Promise.resolve({ id: newId() }),
  handle: async ({ tx, actor, input, target, now }) => {
    const ownerId = ownerFor(actor, input.ownerId);
    await requireMember(tx, ownerId);
    if (await tx.findOne(UseCase, { slug: input.slug })) {
      throw conflict(`A use case named ${input.slug} exists already`, { slug: input.slug });
    }
    const { slug: short, name, purpose, peopleAffected } = input;
    const described = { slug: short, name, purpose, peopleAffected, riskTier: input.riskTier, ownerId };
    const workspaceId = actor.workspaceId ?? '';
    await tx.insert(UseCase, { id: target.id, workspaceId, ...described, createdAt: now });
    const changes = Object.fromEntries(
      Object.entries(described).map(([key, to]) => [key, { from: null, to }]),
    );
    return { result: { id: target.id }, audit: { subject: { kind: 'useCase', id: target.id }, changes } };
  },
});

/** Nobody writes a tier: it follows from answers, and people who did not give them approve it. */
const requireSameTier = (target: UseCase, tier: RiskTier | undefined): void => {
  if (tier === undefined || tier === target.riskTier) return;
  throw new AppError(
    'PRECONDITION_FAILED',
    `The risk tier stays ${target.riskTier} until a change is approved: assess the risk, then ask for the tier`,
    { rule: 'risk-tier-by-request', next: ['assessRisk', 'requestRiskTier'], riskTier: target.riskTier },
  );
};

export const updateUseCase = defineCommand({
  name: 'useCase.update',
  describe:
    'Changes the description or the owner of a use case. Its risk tier changes by an approved request only.',
  permission: 'useCase:update',
  input: z.object({ useCaseId: z.uuid(), ...z.object({ ...fields, ownerId: z.uuid() }).partial().shape }),
  target: async (tx, input) => {
    const found = await tx.lock(UseCase, { id: input.useCaseId });
    if (!found) throw notFound('The use case');
    return found;
  },
  handle: async ({ tx, input, target }) => {
    requireSameTier(target, input.riskTier);
    if (input.ownerId) await requireMember(tx, input.ownerId);
    const next = {
      name: input.name ?? target.name,
      purpose: input.purpose ?? target.purpose,
      peopleAffected: input.peopleAffected ?? target.peopleAffected,
      ownerId: input.ownerId ?? target.ownerId,
    };
    const changes = Object.fromEntries(
      Object.entries(next)
        .map(([key, to]) => [key, { from: target[key as keyof typeof next], to }] as const)
        .filter(([, { from, to }]) => from !== to),
    );
    if (Object.keys(changes).length > 0) await tx.update(UseCase, { id: target.id }, next);
    return { result: { id: target.id }, audit: { subject: { kind: 'useCase', id: target.id }, changes } };
  },
});
