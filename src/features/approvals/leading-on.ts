import { z } from 'zod';
import type { Actor } from '../../kernel/actor.js';
import type { RunCommand } from '../../kernel/command.js';
import { AppError } from '../../kernel/errors.js';
import { requestOrFind, type FoundRequest } from './approvals.commands/request-or-find.js';

/** The move that a refusal speaks of, as the registry says it. */
const refusedMove = z.object({
  modelId: z.uuid(),
  versionId: z.uuid(),
  useCaseId: z.uuid().nullable(),
});

const leadOf = (request: FoundRequest): string => {
  if (!request.sameVersion) return 'it is about another version or use: decide or withdraw it first';
  return request.failing[0]?.message ?? 'everything is there: carry it out with executeChange';
};

const withRequest = (refusal: AppError, request: FoundRequest): AppError => {
  const { id, number, url, sameVersion, ready, failing } = request;
  const sentence = `${refusal.message} Change request #${String(number)} is open (${url}): ${leadOf(request)}`;
  const changeRequest = { id, number, url, sameVersion, ready };
  return new AppError(refusal.code, sentence, { ...refusal.details, changeRequest, failing });
};

const failingWith = (refusal: AppError, { code, message, details }: AppError): AppError => {
  const known = details['rule'];
  const rule = typeof known === 'string' ? known : code.toLowerCase();
  return new AppError(refusal.code, refusal.message, { ...refusal.details, failing: [{ rule, message }] });
};

/** People are asked for a move; nobody can be asked for the rest, and then the refusal says what to do instead. */
const ledOn = async (run: RunCommand, actor: Actor, refusal: AppError): Promise<AppError> => {
  const { alias, move } = refusal.details;
  const meant = refusedMove.safeParse(move);
  if (typeof alias !== 'string' || !meant.success) return failingWith(refusal, refusal);
  try {
    return withRequest(refusal, await run(requestOrFind, actor, { ...meant.data, alias }));
  } catch (error) {
    // Asking may be refused too: no right to ask, nothing to change, no use case that it could be for.
    if (error instanceof AppError) return failingWith(refusal, error);
    throw error;
  }
};

/**
 * The runner as the doors get it: what is refused because a name is protected leads on to the one open request about
 * that name. It is opened or found in a transaction of its own, since what was refused is rolled back.
 */
export const leadingOn =
  (run: RunCommand): RunCommand =>
  (command, actor, input, options) =>
    run(command, actor, input, options).catch(async (error: unknown) => {
      const isLed = error instanceof AppError && error.details['rule'] === 'protected-alias';
      throw isLed ? await ledOn(run, actor, error) : error;
    });
