import { createHash } from 'node:crypto';
import { canonicalBytes } from '../../../kernel/audit.js';
import type { ReadDb } from '../../../kernel/db.js';
import { AppError } from '../../../kernel/errors.js';
import { modelDescription } from '../mlmodel.js';
import type { JsonObject } from '../model-version.entity.js';
import { examinedBefore } from '../same-bytes.js';

/** What a version is: sha256 over the canonical JSON of its paths and digests, sorted by path. */
export const digestOf = (artifacts: readonly { path: string; sha256: string }[]): string => {
  const pairs = artifacts.map(({ path, sha256 }) => [path, sha256] as const);
  const sorted = pairs.toSorted(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256').update(canonicalBytes(sorted)).digest('hex');
};

/** Refuses a version of a model of ONNX files that has none. */
export const requireModelFile = (artifacts: readonly { readonly path: string }[]): void => {
  if (artifacts.some(({ path }) => path === modelDescription || path.toLowerCase().endsWith('.onnx'))) return;
  throw new AppError(
    'PRECONDITION_FAILED',
    'The version has no .onnx file yet: upload one before you submit it',
    {
      rule: 'artifact-required',
      artifacts: artifacts.map(({ path }) => path),
    },
  );
};

/** Where a version goes when it is closed. */
export interface Outcome {
  readonly examine: boolean;
  readonly state: 'READY' | 'PENDING_INTAKE';
  readonly stateMessage: string;
  readonly found: { readonly signature?: JsonObject | null; readonly intake?: JsonObject };
}

/** What becomes of a closed version: there is nothing to look at, it was looked at before, or intake looks. */
export const outcomeOf = async (
  db: ReadDb,
  digest: string,
  artifacts: readonly { readonly path: string }[],
): Promise<Outcome> => {
  const ready = { examine: false, state: 'READY' } as const;
  if (artifacts.length === 0)
    return { ...ready, stateMessage: 'Nothing to check: the model stands elsewhere', found: {} };
  const before = await examinedBefore(db, digest, artifacts);
  if (before) {
    const { signature, intake: report, message } = before;
    return { ...ready, stateMessage: message, found: { signature, intake: report } };
  }
  return { examine: true, state: 'PENDING_INTAKE', stateMessage: 'Waiting for intake', found: {} };
};
