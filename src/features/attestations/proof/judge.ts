import type { Reason } from './fault.js';
import type { RevocationList, RevocationReason } from './revocations.js';
import type { Attested, Predicate } from './statement.js';
import { treeDigestOf, type TreeFile } from './tree.js';

/** What somebody who lets a model in demands of its attestation; what is left out may be anything. */
export interface Demands {
  readonly model?: string | undefined;
  readonly version?: number | undefined;
  readonly alias?: string | undefined;
  readonly useCase?: string | undefined;
  readonly environment?: string | undefined;
  /** Refuses what one person let through in an emergency. */
  readonly noBreakGlass?: boolean | undefined;
}

/** What is held against an attestation. */
export interface Judged {
  readonly attested: Attested;
  readonly list: RevocationList;
  readonly demands: Demands;
  /** The folder that shall run; null when only a name was given. */
  readonly files: readonly TreeFile[] | null;
  /** The moment that is asked about, and the present. */
  readonly at: Date;
  readonly now: Date;
}

const reason = (rule: string, message: string): Reason => ({ rule, message });

const demanded = (
  what: string,
  wanted: string | number | undefined,
  is: readonly (string | number)[],
): Reason[] =>
  wanted === undefined || is.includes(wanted)
    ? []
    : [reason(what, `It was approved for the ${what} ${String(is[0])}, not ${String(wanted)}`)];

const ofDemands = (predicate: Predicate, demands: Demands): Reason[] => [
  ...demanded('model', demands.model, [predicate.model.name, predicate.model.id]),
  ...demanded('version', demands.version, [predicate.version.number]),
  ...demanded('alias', demands.alias, [predicate.alias]),
  ...demanded('use-case', demands.useCase, [predicate.useCase.slug, predicate.useCase.id]),
  ...demanded('environment', demands.environment, [predicate.environment]),
];

/** What is said of a move in an emergency; null of one that people approved. */
export const emergencyOf = ({ breakGlass }: Predicate): string | null =>
  breakGlass
    ? `It was moved in an emergency, without the approvals (${JSON.stringify(breakGlass.reason)}); incident ${breakGlass.incident} is to be reviewed until ${breakGlass.reviewDueAt}`
    : null;

/** What was signed before emergencies were marked does not tell, and then its approvals do: such a move has none. */
const ofEmergency = (predicate: Predicate, { noBreakGlass }: Demands): Reason[] => {
  if (noBreakGlass !== true) return [];
  const emergency = emergencyOf(predicate);
  if (emergency !== null) return [reason('break-glass', emergency)];
  const unsaid = predicate.breakGlass === undefined && predicate.approvals.length === 0;
  return unsaid ? [reason('break-glass', 'Nobody approved it, and it does not say why')] : [];
};

const mostNamed = 5;

const named = (paths: readonly string[]): string => {
  const shown = paths.slice(0, mostNamed).map((path) => JSON.stringify(path));
  const more = paths.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
};

/** What differs between the folder and what was approved, file by file. */
const ofFiles = ({ predicate, files: approved }: Attested, files: readonly TreeFile[]): Reason[] => {
  if (treeDigestOf(files) === predicate.tree.sha256 && files.length > 0) return [];
  if (files.length === 0) return [reason('empty', 'The folder holds no file')];
  const here = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  const changed = [...here].filter(([path, sha256]) => approved.has(path) && approved.get(path) !== sha256);
  const added = [...here.keys()].filter((path) => !approved.has(path));
  const missing = [...approved.keys()].filter((path) => !here.has(path));
  const lists = [
    ['has another content', changed.map(([path]) => path)],
    ['was not approved', added],
    ['is missing', missing],
  ] as const;
  return lists.flatMap(([what, paths]) =>
    paths.length === 0
      ? []
      : [reason('digest', `The folder differs from what was approved: ${named(paths)} ${what}`)],
  );
};

const ofValidity = ({ validity }: Predicate, at: Date): Reason[] => {
  if (at < new Date(validity.notBefore)) {
    return [reason('not-yet-valid', `The attestation holds from ${validity.notBefore} on`)];
  }
  if (at >= new Date(validity.notAfter)) {
    return [reason('expired', `The attestation held until ${validity.notAfter}; evaluate and approve anew`)];
  }
  return [];
};

/** Clocks of two machines differ a little. */
const skewMs = 5 * 60_000;

const ofFreshness = (list: RevocationList, at: Date, now: Date): Reason[] => {
  const moment = at < now ? at : now;
  const faults: Reason[] = [];
  if (moment >= new Date(list.nextUpdate)) {
    faults.push(
      reason('stale-list', `The revocation list is out of date since ${list.nextUpdate}; fetch a new one`),
    );
  }
  if (new Date(list.issued).getTime() > now.getTime() + skewMs) {
    faults.push(reason('stale-list', `The revocation list is of ${list.issued}, which is still to come`));
  }
  if (at < new Date(list.coversFrom)) {
    faults.push(
      reason('stale-list', `The revocation list knows nothing of the time before ${list.coversFrom}`),
    );
  }
  return faults;
};

const sentences: Readonly<Record<RevocationReason, string>> = {
  SUPERSEDED: 'the alias names another version or was approved anew',
  VERSION_DELETED: 'the version was deleted',
  ENDPOINT_SUSPENDED: 'the endpoint that serves it is suspended',
  REVOKED: 'it was taken back',
};

/**
 * What was taken back counts for every moment: nobody says so of a version that was good until then. Whoever asks about
 * the present is told all that the list holds, since a clock here that is behind would not have come to the newest yet.
 */
const ofRevocation = (
  { attestation }: Predicate,
  list: RevocationList,
  { at, now }: Pick<Judged, 'at' | 'now'>,
): Reason[] =>
  list.revoked
    .filter((entry) => entry.attestation === attestation)
    .filter((entry) => entry.reason === 'REVOKED' || at >= now || new Date(entry.at) <= at)
    .map((entry) =>
      reason('revoked', `The attestation is revoked since ${entry.at}: ${sentences[entry.reason]}`),
    );

/** Everything that speaks against letting it in; nothing means that it may pass. */
export const judge = ({ attested, list, demands, files, at, now }: Judged): Reason[] => [
  ...(files === null ? [] : ofFiles(attested, files)),
  ...ofDemands(attested.predicate, demands),
  ...ofEmergency(attested.predicate, demands),
  ...ofValidity(attested.predicate, at),
  ...ofFreshness(list, at, now),
  ...ofRevocation(attested.predicate, list, { at, now }),
];
