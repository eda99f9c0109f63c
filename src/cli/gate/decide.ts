import { reasonOf, type Reason } from '../../features/attestations/proof/fault.js';
import { judge, type Demands } from '../../features/attestations/proof/judge.js';
import { readKeys, type TrustedKeys } from '../../features/attestations/proof/keys.js';
import { readRevocations, type RevocationList } from '../../features/attestations/proof/revocations.js';
import { readAttestation, type Predicate } from '../../features/attestations/proof/statement.js';
import type { TreeFile } from '../../features/attestations/proof/tree.js';
import type { Documents } from './documents.js';

/** What the gate says. */
export interface Verdict {
  readonly pass: boolean;
  readonly reasons: readonly Reason[];
  /** The attestation that it speaks of, once its signature held. */
  readonly predicate: Predicate | null;
  readonly listNumber: number | null;
}

/** What is decided on. */
export interface Question {
  readonly documents: Documents;
  readonly files: readonly TreeFile[] | null;
  readonly demands: Demands;
  readonly at: Date;
  readonly now: Date;
}

interface Trusted {
  readonly keys: TrustedKeys;
  readonly list: RevocationList;
}

const decideOne = async (bytes: Buffer, { keys, list }: Trusted, question: Question): Promise<Verdict> => {
  const reasons: Reason[] = [];
  const attested = await reasonOf(reasons, () => readAttestation(bytes, keys));
  if (!attested) return { pass: false, reasons, predicate: null, listNumber: list.number };
  const { demands, files, at, now } = question;
  const against = judge({ attested, list, demands, files, at, now });
  const { predicate } = attested;
  return { pass: against.length === 0, reasons: against, predicate, listNumber: list.number };
};

const nothing: Reason = {
  rule: 'no-attestation',
  message: 'There is no attestation for it: this was never approved for what is demanded',
};

/** Decides by the documents alone; of several attestations one that holds is enough, else the newest is spoken of. */
export const decide = async (question: Question): Promise<Verdict> => {
  const { documents } = question;
  const refused = { pass: false, predicate: null, listNumber: null } as const;
  const reasons: Reason[] = [];
  const keys = await reasonOf(reasons, () => readKeys(documents.keys));
  if (!keys) return { ...refused, reasons };
  const list = await reasonOf(reasons, () => readRevocations(documents.revocations, keys));
  if (!list) return { ...refused, reasons };
  let newest: Verdict | null = null;
  for (const bytes of documents.attestations) {
    const verdict = await decideOne(bytes, { keys, list }, question);
    if (verdict.pass) return verdict;
    newest ??= verdict;
  }
  return newest ?? { ...refused, reasons: [nothing] };
};
