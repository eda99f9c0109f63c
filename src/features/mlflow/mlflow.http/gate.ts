import { z } from 'zod';
import { AppError } from '../../../kernel/errors.js';
import { executeChange, requestOrFind, type FoundRequest } from '../../approvals/index.js';
import { nameStanding, useCaseTag, type KnownUseCase, type NameStanding } from '../mlflow.queries/gate.js';
import type { NamedVersion } from '../mlflow.queries/keys.js';
import type { Call } from './route.js';

/** What a client tried: to let a name, an alias or a stage, stand for a version. */
export interface Move {
  readonly name: string;
  readonly version: NamedVersion;
}

const shortest = (failing: FoundRequest['failing']): string =>
  failing
    .slice(0, 8)
    .map(({ rule, message }) => `${rule} (${message})`)
    .join('; ');

const refusal = (message: string, details: Readonly<Record<string, unknown>>): AppError =>
  new AppError('FORBIDDEN', message, { rule: 'protected-alias', ...details });

const withRequest = ({ url }: Call, { name, version }: Move, request: FoundRequest): AppError => {
  const address = `${url}${request.url}`;
  const what = `${name} of ${version.name} is protected: it moves to version ${String(version.version)} by an approved change request`;
  const which = request.sameVersion
    ? `#${String(request.number)} ${address}`
    : `#${String(request.number)} ${address}, which is open about another version or use: decide or withdraw it first`;
  const open = request.ready
    ? 'Everything is there: carry it out'
    : `Still open: ${shortest(request.failing)}`;
  const changeRequest = { id: request.id, number: request.number, url: address };
  return refusal(`${what}, ${which}. ${open}. Repeat the call when it was approved.`, {
    alias: name,
    changeRequest,
    failing: request.failing,
  });
};

const advice: Readonly<Record<Exclude<KnownUseCase['kind'], 'known'>, string>> = {
  none: 'no use case is known for it',
  several: 'it was approved for several use cases',
  unknown: 'there is no use case of this name',
};

const withoutUseCase = (
  { name, version }: Move,
  useCase: Exclude<KnownUseCase, { kind: 'known' }>,
): AppError => {
  const example = `client.set_model_version_tag(${JSON.stringify(version.name)}, ${String(version.version)}, "${useCaseTag}", "<slug of the use case>")`;
  const known =
    useCase.kind === 'several'
      ? ` (${useCase.slugs.join(', ')})`
      : useCase.kind === 'unknown'
        ? ` (${useCase.named})`
        : '';
  const message = `an approval is for a use, and ${advice[useCase.kind]}${known}. Name it: ${example}`;
  return refusal(
    `${name} of ${version.name} is protected: it moves by an approved change request; ${message}.`,
    {
      alias: name,
      changeRequest: null,
      failing: [{ rule: 'use-case', message }],
    },
  );
};

/** Asking may be refused too: then the refusal says so, and no request is named. */
const whyNoRequest = (error: unknown, { name, version }: Move): AppError => {
  if (!(error instanceof AppError) || error.code === 'UNAUTHENTICATED') throw error;
  const known = error.details['rule'];
  const rule = typeof known === 'string' ? known : error.code.toLowerCase();
  return refusal(
    `${name} of ${version.name} is protected: it moves by an approved change request. Nothing was asked for: ${error.message}`,
    { alias: name, changeRequest: null, failing: [{ rule, message: error.message }] },
  );
};

/**
 * Moves a name that nobody protects. A protected one is refused with the one open request about it, which is opened
 * here when there is none; when the approved change was carried out already, the same call succeeds and does nothing,
 * and when everything is there but for somebody who does it, the call does.
 */
export const moveName = async (
  call: Call,
  asked: { readonly name: string; readonly version: string; readonly alias: string },
  options: {
    readonly isThere: (standing: NameStanding) => boolean;
    readonly plain: (version: NamedVersion) => Promise<unknown>;
  },
): Promise<void> => {
  const { ask, run, actor } = call;
  const standing = await ask(nameStanding, actor, asked);
  const { version, useCase } = standing;
  if (!standing.isProtected) {
    await options.plain(version);
    return;
  }
  if (options.isThere(standing)) return;
  const move = { name: asked.alias, version };
  if (useCase.kind !== 'known') throw withoutUseCase(move, useCase);
  const reason = `Tried from a client of MLflow: ${move.name} to version ${String(version.version)}`;
  const input = { versionId: version.id, alias: move.name, useCaseId: useCase.id, reason };
  const request = await run(requestOrFind, actor, input).catch((error: unknown) => {
    throw whyNoRequest(error, move);
  });
  // Where the policy leaves it to the caller, or a wait is over: who repeats the call carries out what was approved.
  if (request.ready && request.sameVersion) {
    await run(executeChange, actor, { changeRequestId: request.id });
    return;
  }
  throw withRequest(call, move, request);
};

const requestNamed = z.object({ number: z.number(), url: z.string() }).catchall(z.unknown());

/** Does what a protected name may forbid; the refusal is told as the protocol tells one, with a whole address. */
export const unlessProtected = <Result>({ url }: Call, deed: () => Promise<Result>): Promise<Result> =>
  deed().catch((error: unknown) => {
    if (!(error instanceof AppError) || error.details['rule'] !== 'protected-alias') throw error;
    const { changeRequest, ...details } = error.details;
    const known = requestNamed.safeParse(changeRequest);
    const request = known.success ? { ...known.data, url: `${url}${known.data.url}` } : null;
    const message = request ? `${error.message} ${request.url}` : error.message;
    throw refusal(message, { ...details, changeRequest: request });
  });
