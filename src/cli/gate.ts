import { processEnvironment } from '../config.js';
import { ProofFault } from '../features/attestations/proof/fault.js';
import { emergencyOf } from '../features/attestations/proof/judge.js';
import { treeDigestOf, type TreeFile } from '../features/attestations/proof/tree.js';
import { CliError, printed } from './fault.js';
import { decide, type Verdict } from './gate/decide.js';
import { fetchDocuments } from './gate/documents.js';
import { readFolder } from './gate/folder.js';
import { gateOptions, type GateOptions } from './gate/options.js';
import { print } from './terminal.js';

const sentencesOf = ({ pass, predicate, reasons, listNumber }: Verdict): string[] => {
  const about = predicate
    ? [
        `${predicate.model.name}@${String(predicate.version.number)}, ${predicate.alias} for ${predicate.useCase.slug} in ${predicate.environment}`,
        `attestation #${String(predicate.number)} of ${predicate.issuer}, change request #${String(predicate.changeRequest.number)}, valid until ${predicate.validity.notAfter}`,
      ]
    : [];
  const emergency = predicate === null ? null : emergencyOf(predicate);
  const warnings = emergency === null ? [] : [`WARNING: ${emergency}`];
  const list = listNumber === null ? [] : [`revocation list ${String(listNumber)}`];
  return pass
    ? ['PASS', ...warnings, ...about, ...list]
    : ['REFUSED', ...reasons.map(({ rule, message }) => `- ${message} (${rule})`), ...about, ...list];
};

const show = (verdict: Verdict, files: readonly TreeFile[] | null, json: boolean): void => {
  const treeSha256 = files === null ? null : treeDigestOf(files);
  if (json) print(JSON.stringify({ ...verdict, treeSha256 }));
  else for (const line of sentencesOf(verdict)) print(line);
};

/** A folder that cannot be judged is refused; one that cannot be read is not found out about. */
const filesOf = async (folder: string): Promise<readonly TreeFile[] | Verdict> => {
  try {
    return await readFolder(folder);
  } catch (error) {
    if (!(error instanceof ProofFault)) throw error;
    const reasons = [{ rule: error.rule, message: error.message }];
    return { pass: false, reasons, predicate: null, listNumber: null };
  }
};

const isVerdict = (found: readonly TreeFile[] | Verdict | null): found is Verdict =>
  found !== null && 'pass' in found;

const tokenOf = (): string | null => {
  const token = processEnvironment()['COUNTERSIGN_TOKEN'] ?? '';
  return token === '' ? null : token;
};

const verdictOf = async (options: GateOptions, files: readonly TreeFile[] | null): Promise<Verdict> => {
  const { reference, useCase, environment, noBreakGlass } = options;
  const { model, version } = reference ?? {};
  const alias = options.alias ?? reference?.alias;
  const asked = { model, version, alias, useCase, environment };
  const tree = files === null ? undefined : treeDigestOf(files);
  const documents = await fetchDocuments(options.from, tokenOf(), { ...asked, tree });
  const now = new Date();
  const demands = { ...asked, noBreakGlass };
  return decide({ documents, files, demands, at: options.at ?? now, now });
};

const run = async (args: readonly string[]): Promise<number> => {
  const options = gateOptions(args);
  const found = options.folder === null ? null : await filesOf(options.folder);
  if (isVerdict(found)) {
    show(found, null, options.json);
    return 1;
  }
  if (options.digest && found) {
    print(treeDigestOf(found));
    return 0;
  }
  const verdict = await verdictOf(options, found);
  show(verdict, found, options.json);
  return verdict.pass ? 0 : 1;
};

/** Lets a model in or refuses it, by what was signed. Needs no database and no server of its own. */
export const runGate = async (args: readonly string[]): Promise<void> => {
  try {
    process.exitCode = await run(args);
  } catch (error) {
    // Whatever went wrong on the way is no verdict.
    throw error instanceof CliError ? error : new CliError(printed(error), 2);
  }
};
