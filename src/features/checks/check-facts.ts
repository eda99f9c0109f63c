import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';
import { notFound } from '../../kernel/errors.js';
import { frameworkGaps, governedFields, type FrameworkGaps, type GovernedField } from '../cards/index.js';
import { dataOfVersions, type VersionData } from '../datasets/index.js';
import { verdictAt, type EvidenceKind, type EvidenceVerdict } from '../evaluations/index.js';
import { intakeChecks, type VersionState } from '../registry/index.js';
import { currentAssessment, type RiskAssessmentView } from '../risk/index.js';

/** Which version, for which use. */
export interface CheckTarget {
  readonly versionId: string;
  readonly useCaseId: string;
  /** The frameworks that the card is held against; none when left out. */
  readonly frameworks?: readonly string[];
}

const limitResult = z.object({
  figure: z.string(),
  label: z.string(),
  value: z.number().nullable(),
  comparison: z.string(),
  limit: z.number(),
  mode: z.string(),
  verdict: z.string(),
});

const figure = z.object({ name: z.string(), label: z.string(), value: z.number().nullable() });

/** The newest evidence of one kind, with its figures and their limits. */
export interface FactEvidence {
  readonly id: string;
  readonly kind: EvidenceKind;
  /** As it stands now: STALE when it is past its date, was made stale by an event, or is about other bytes. */
  readonly verdict: EvidenceVerdict;
  readonly provenance: 'COMPUTED' | 'SUBMITTED';
  readonly resultSha256: string;
  readonly limits: readonly z.output<typeof limitResult>[];
  readonly figures: readonly z.output<typeof figure>[];
}

/** A data set of the lineage, and what nobody said of it. */
export type FactDataset = Pick<VersionData, 'name' | 'role' | 'missing'>;

/** What the risk of the use case was found to be. */
export type FactAssessment = Pick<RiskAssessmentView, 'number' | 'tier' | 'tierInForce' | 'outdated'>;

/** What intake saw of the files. */
export interface FactIntake {
  readonly files: number;
  /** ONNX files that were opened. */
  readonly opened: number;
  /** Files that hold pickles, each followed to its end. */
  readonly pickles: number;
  /** Those of them that carry code of their own. */
  readonly ownCode: number;
  readonly faults: number;
  /** Whether it is the folder of a model as MLflow saves it. */
  readonly isModel: boolean;
  /** Whether the checks were those of today. */
  readonly isCurrent: boolean;
}

/** What decides about people in this use now. */
export interface FactChampion {
  readonly versionId: string;
  readonly version: number;
  readonly evidence: ReadonlyMap<EvidenceKind, FactEvidence>;
}

/** Everything that checks look at, read once. */
export interface CheckFacts {
  readonly versionId: string;
  readonly digest: string | null;
  readonly state: VersionState;
  readonly stateMessage: string;
  readonly codeCommit: string | null;
  readonly datasets: readonly FactDataset[];
  readonly licence: string | null;
  readonly intake: FactIntake | null;
  /** Causes for which evidence of the version was declared stale. */
  readonly driftReason: string | null;
  readonly evidence: ReadonlyMap<EvidenceKind, FactEvidence>;
  readonly champion: FactChampion | null;
  readonly card: Readonly<Record<string, GovernedField>>;
  /** What the frameworks that were asked for miss in the card. */
  readonly frameworks: ReadonlyMap<string, FrameworkGaps>;
  readonly assessment: FactAssessment | null;
}

interface VersionRow {
  readonly digest: string | null;
  readonly state: VersionState;
  readonly stateMessage: string;
  readonly codeCommit: string | null;
  readonly licence: string | null;
  readonly intake: FactIntake | null;
  readonly driftReason: string | null;
  readonly championId: string | null;
  readonly championVersion: number | null;
}

const versionQuery = `
  select v.digest, v.state, v.state_message as "stateMessage", v.lineage ->> 'codeCommit' as "codeCommit",
         (select t.value from model_tag t where t.model_id = v.model_id and (t.version_id is null or t.version_id = v.id)
             and lower(t.key) in ('licence', 'license') order by t.version_id nulls last limit 1) as licence,
         case when v.intake is null then null else jsonb_build_object(
           'files', jsonb_array_length(coalesce(v.intake -> 'files', '[]')),
           'opened', scan.opened, 'pickles', scan.pickles, 'ownCode', scan.own,
           'faults', jsonb_array_length(coalesce(v.intake -> 'faults', '[]')),
           'isModel', v.intake ? 'mlflow',
           'isCurrent', v.intake ->> 'checks' is not distinct from $3) end as intake,
         (select i.reason from evidence_invalidation i join evidence e on e.id = i.evidence_id
           where e.version_id = v.id and e.use_case_id = $2 and i.cause = 'DRIFT' order by i.id desc limit 1) as "driftReason",
         c.id as "championId", c.version as "championVersion"
    from model_version v
    cross join lateral (
      select count(*) filter (where jsonb_typeof(f -> 'model') = 'object') as opened,
             count(*) filter (where f ? 'pickle') as pickles,
             count(*) filter (where (f #> '{pickle,carriesCode}') = 'true') as own
        from jsonb_array_elements(coalesce(v.intake -> 'files', '[]')) f) scan
    left join lateral (
      select o.id, o.version from model_alias a join model_version o on o.id = a.version_id
       where a.model_id = v.model_id and a.use_case_id = $2 and a.change_request_id is not null
       order by (a.folded = 'champion') desc, a.moved_at desc limit 1) c on true
   where v.id = $1`;

interface EvidenceRow extends Omit<FactEvidence, 'limits' | 'figures'> {
  readonly versionId: string;
  readonly versionDigest: string;
  readonly limits: unknown;
  readonly figures: unknown;
}

const evidenceQuery = `
  select e.id, e.version_id as "versionId", e.kind, ${verdictAt('$3')} as verdict, e.provenance,
         e.result_sha256 as "resultSha256", e.version_digest as "versionDigest", e.result -> 'checks' as limits,
         case when e.kind = 'PERFORMANCE' then e.result -> 'figures' end as figures
    from unnest($1::uuid[]) as wanted (version_id)
    cross join unnest(array['PERFORMANCE', 'FAIRNESS', 'ATTRIBUTION', 'DRIFT']) as k (kind)
    cross join lateral (
      select * from evidence n where n.version_id = wanted.version_id and n.use_case_id = $2 and n.kind = k.kind
       order by n.id desc limit 1) e`;

/** What was submitted in another form has no figures that could be read, and then there are none. */
const listOf = <Schema extends z.ZodType>(schema: Schema, stored: unknown): z.output<Schema>[] => {
  const parsed = z.array(schema).safeParse(stored ?? []);
  return parsed.success ? parsed.data : [];
};

const evidenceMap = (
  rows: readonly EvidenceRow[],
  versionId: string,
  digest: string | null,
): ReadonlyMap<EvidenceKind, FactEvidence> =>
  new Map(
    rows
      .filter((row) => row.versionId === versionId)
      .map(({ id, kind, verdict, provenance, resultSha256, versionDigest, limits, figures }) => [
        kind,
        {
          id,
          kind,
          provenance,
          resultSha256,
          // Evidence about other bytes says nothing of these.
          verdict: digest === null || versionDigest === digest ? verdict : 'STALE',
          limits: listOf(limitResult, limits),
          figures: listOf(figure, figures),
        },
      ]),
  );

/** Reads what checks look at; NOT_FOUND when the version is not in this workspace. */
export const readCheckFacts = async (db: ReadDb, target: CheckTarget, now: Date): Promise<CheckFacts> => {
  const { versionId, useCaseId, frameworks = [] } = target;
  const [row] = await db.sql<VersionRow>(
    versionQuery,
    [versionId, useCaseId, intakeChecks],
    'checks.version',
  );
  if (!row) throw notFound('The version');
  const { championId, championVersion, ...version } = row;
  const other = championId === versionId ? null : championId;
  const wanted = other === null ? [versionId] : [versionId, other];
  const rows = await db.sql<EvidenceRow>(evidenceQuery, [wanted, useCaseId, now], 'checks.evidence');
  return {
    versionId,
    ...version,
    datasets: await dataOfVersions(db, [versionId]),
    evidence: evidenceMap(rows, versionId, row.digest),
    champion:
      other === null || championVersion === null
        ? null
        : { versionId: other, version: championVersion, evidence: evidenceMap(rows, other, null) },
    card: await governedFields(db, versionId, useCaseId),
    frameworks: new Map((await frameworkGaps(db, target, frameworks, now)).map((one) => [one.id, one])),
    assessment: await currentAssessment(db, useCaseId),
  };
};
