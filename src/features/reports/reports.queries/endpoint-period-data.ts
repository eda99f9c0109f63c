import { wilson } from '../../../analysis/index.js';
import type { ReadDb } from '../../../kernel/db.js';
import { notFound } from '../../../kernel/errors.js';
import { newestEvidence } from '../../evaluations/index.js';
import { actorName, rowsOf, shownPeriod, shownTime, standing, type DataRow, type ReportData } from '../report-data.js';
import type { Report } from '../report.entity.js';
import { auditSlice, mostAuditEntries } from './audit-slice.js';
import { evidenceTables } from './evidence-tables.js';

interface EndpointRow {
  readonly name: string;
  readonly slug: string;
  readonly state: string;
  readonly suspension: string | null;
  readonly model: string;
  readonly alias: string;
  readonly useCaseId: string;
  readonly useCase: string;
  readonly tier: string;
}

const readEndpoint = async (db: ReadDb, id: string): Promise<EndpointRow> => {
  const [row] = await db.sql<EndpointRow>(
    `select e.name, e.slug, e.state, e.suspension_reason as suspension, m.name as model, e.alias, u.id as "useCaseId",
            u.name as "useCase", u.risk_tier as tier
       from endpoint e join registered_model m on m.id = e.model_id join use_case u on u.id = e.use_case_id where e.id = $1`,
    [id],
  );
  if (!row) throw notFound('The endpoint');
  return row;
};

const inPeriod = 'd.endpoint_id = $1 and d.requested_at >= $2 and d.requested_at < $3';

const states = `select d.state, count(*)::int as n from decision d where ${inPeriod} group by 1 order by 1`;

const actions = `select coalesce(d.action, 'none') as action, count(*)::int as n from decision d
                  where ${inPeriod} and d.state = 'DONE' group by 1 order by 2 desc, 1`;

const deciders = `select coalesce(d.decided_by, 'none') as "decidedBy", count(*)::int as n from decision d
                   where ${inPeriod} and d.state = 'DONE' group by 1 order by 2 desc, 1`;

const days = `select to_char(d.requested_at at time zone 'UTC', 'YYYY-MM-DD') as day, count(*)::int as n,
                     count(*) filter (where d.state = 'DONE')::int as done,
                     count(*) filter (where d.state in ('FAILED', 'REFUSED'))::int as failed
                from decision d where ${inPeriod} group by 1 order by 1`;

const versions = `
  select coalesce(m.name || ', version ' || v.version, 'none') as version, d.version_digest as digest, count(*)::int as n,
         min(d.requested_at) as first, max(d.requested_at) as last
    from decision d left join model_version v on v.id = d.version_id left join registered_model m on m.id = v.model_id
   where ${inPeriod} group by 1, 2 order by 4`;

const speed = `
  select count(*)::int as n,
         percentile_cont(0.5) within group (order by extract(epoch from d.finished_at - d.requested_at))::float8 as median,
         percentile_cont(0.95) within group (order by extract(epoch from d.finished_at - d.requested_at))::float8 as p95
    from decision d where ${inPeriod} and d.state = 'DONE' and d.finished_at is not null`;

const reviews = `
  select r.state, coalesce(r.action, 'waiting') as action, count(*)::int as n,
         count(*) filter (where coalesce(r.decided_at, $3) > r.due_at)::int as late
    from human_review r join decision d on d.id = r.decision_id where ${inPeriod} group by 1, 2 order by 1, 2`;

/** The last outcome of a decision counts; the prediction is positive from one half on. */
const outcomes = `
  with known as (
    select distinct on (o.decision_id) o.positive, d.probability, d.action
      from outcome o join decision d on d.id = o.decision_id
     where ${inPeriod} and o.recorded_at < $3 order by o.decision_id, o.id desc)
  select count(*)::int as n, count(*) filter (where positive)::int as positives,
         count(*) filter (where probability is not null)::int as scored,
         count(*) filter (where (probability >= 0.5) = positive)::int as correct,
         avg((probability - positive::int) ^ 2)::float8 as brier from known`;

const changes = `
  select c.number, c.kind, c.title, c.state, ${actorName('c.requested_by')} as "requestedBy", c.created_at as "createdAt",
         c.executed_at as "executedAt", c.manifest_sha256 as "manifestSha256", c.id
    from change_request c join endpoint e on e.id = $1
   where (c.endpoint_id = e.id or (c.model_id = e.model_id and c.use_case_id = e.use_case_id))
     and c.created_at < $3 and coalesce(c.closed_at, c.executed_at, $3) >= $2 order by c.number`;

const approvals = `
  select c.number, a.verdict, a.role, ${actorName('a.by::text')} as by, a.reason, a.created_at as "createdAt",
         a.voided_at is null as valid, ${standing}, a.void_reason as "voidReason", a.manifest_sha256 as "manifestSha256", a.id
    from approval a join change_request c on c.id = a.change_request_id join endpoint e on e.id = $1
   where (c.endpoint_id = e.id or (c.model_id = e.model_id and c.use_case_id = e.use_case_id))
     and a.created_at >= $2 and a.created_at < $3 order by a.id`;

const findings = `
  select f.id, f.title, f.detail, f.severity, f.state, ${actorName('f.owner_id::text')} as owner, f.due_at as "dueAt",
         (f.state = 'OPEN' and f.due_at < $3) as overdue, f.created_at as "createdAt", f.resolution
    from finding f join endpoint e on e.id = $1
   where f.created_at < $3 and (f.resolved_at is null or f.resolved_at >= $2)
     and ((f.subject_kind = 'endpoint' and f.subject_id = e.id) or (f.subject_kind = 'useCase' and f.subject_id = e.use_case_id)
       or (f.subject_kind = 'model' and f.subject_id = e.model_id)) order by f.id`;

const auditSubjects = `
  select 'endpoint', $1::text
  union all select 'changeRequest', c.id::text from change_request c join endpoint e on e.id = $1::uuid
             where c.endpoint_id = e.id or (c.model_id = e.model_id and c.use_case_id = e.use_case_id)
  union all select 'alias', a.id::text from model_alias a join endpoint e on e.id = $1::uuid and a.model_id = e.model_id`;

const numberIn = (row: DataRow | undefined, name: string): number => {
  const value = row?.[name];
  return typeof value === 'number' ? value : 0;
};

/** Counts with their share of the whole and its interval. */
const withShares = (rows: readonly DataRow[]): DataRow[] => {
  const n = rows.reduce((sum, row) => sum + numberIn(row, 'n'), 0);
  return rows.map((row) => {
    const share = wilson({ successes: numberIn(row, 'n'), n });
    const known = share.value === null ? { value: null, low: null, high: null } : { value: share.value, low: share.low, high: share.high };
    return { ...row, ...known, total: n };
  });
};

const outcomeRows = (row: DataRow | undefined): DataRow[] => {
  const n = numberIn(row, 'n');
  const shares = [
    { measure: 'Outcome is positive', ...wilson({ successes: numberIn(row, 'positives'), n }) },
    { measure: 'Prediction agreed with the outcome', ...wilson({ successes: numberIn(row, 'correct'), n: numberIn(row, 'scored') }) },
  ];
  const known = shares.map((share) => {
    if (share.value === null) return { measure: share.measure, value: null, low: null, high: null, n: share.n, reason: share.reason };
    return { measure: share.measure, value: share.value, low: share.low, high: share.high, n: share.n, reason: null };
  });
  const brier = row?.['brier'] ?? null;
  return [
    ...known,
    { measure: 'Brier score', value: brier, low: null, high: null, n: numberIn(row, 'scored'), reason: brier === null ? 'No outcome is known yet.' : null },
  ];
};

const versionsThatDecided = `
  select distinct v.id, v.version from decision d join model_version v on v.id = d.version_id where ${inPeriod} order by 2`;

const evidenceOfPeriod = async (db: ReadDb, values: readonly unknown[], endpoint: EndpointRow, to: Date) => {
  const ids = await db.sql<{ id: string; version: number }>(versionsThatDecided, values);
  const found = [];
  for (const { id } of ids) found.push(...(await newestEvidence(db, id, endpoint.useCaseId, to)));
  const names = new Map(ids.map(({ id, version }) => [id, `version ${String(version)}`]));
  return evidenceTables(
    found.filter(({ createdAt }) => createdAt <= to),
    () => endpoint.useCase,
    (id) => names.get(id) ?? id,
  );
};

const speedText = (row: DataRow | undefined): string => {
  const seconds = (name: string): string => `${numberIn(row, name).toFixed(2)} s`;
  return numberIn(row, 'n') === 0 ? 'no decision was finished' : `median ${seconds('median')}, 95th percentile ${seconds('p95')}`;
};

/** Everything that an endpoint did in a period. */
export const endpointPeriodData = async (db: ReadDb, report: Report): Promise<ReportData> => {
  const { subjectId: id, cutOff } = report;
  const [from, to] = [report.periodFrom ?? cutOff, report.periodTo ?? cutOff];
  const endpoint = await readEndpoint(db, id);
  const values = [id, from, to];
  const read = (text: string): Promise<DataRow[]> => rowsOf(db, text, values);
  const audit = await auditSlice(db, { subjects: auditSubjects, subjectId: id, from, to });
  const stateRows = await read(states);
  const total = stateRows.reduce((sum, row) => sum + numberIn(row, 'n'), 0);
  const findingRows = await read(findings);
  const tables = {
    states: withShares(stateRows),
    actions: withShares(await read(actions)),
    deciders: withShares(await read(deciders)),
    days: await read(days),
    versions: await read(versions),
    reviews: await read(reviews),
    outcomes: outcomeRows((await read(outcomes))[0]),
    ...(await evidenceOfPeriod(db, values, endpoint, to)),
    changes: await read(changes),
    approvals: await read(approvals),
    findings: findingRows,
    audit: audit.rows,
  };
  return {
    schema: 'countersign.report-data/1',
    template: report.template,
    title: endpoint.name,
    cutOff: cutOff.toISOString(),
    values: {
      period: shownPeriod(from, to),
      cutOff: shownTime(cutOff),
      decisions: String(total),
      speed: speedText((await read(speed))[0]),
      useCase: endpoint.useCase,
      openFindings: String(findingRows.filter((row) => row['state'] === 'OPEN').length),
      auditNote: audit.leftOut ? `Only the first ${String(mostAuditEntries)} entries are shown.` : 'All entries are shown.',
    },
    facts: [
      { label: 'Endpoint', value: `${endpoint.name} (${endpoint.slug})` },
      { label: 'Period', value: shownPeriod(from, to) },
      { label: 'State at the cut-off', value: endpoint.suspension === null ? endpoint.state : `${endpoint.state}: ${endpoint.suspension}` },
      { label: 'Model', value: `${endpoint.model}, alias ${endpoint.alias}` },
      { label: 'Use case', value: `${endpoint.useCase}; risk ${endpoint.tier}` },
      { label: 'Decisions asked for', value: String(total) },
    ],
    tables,
  };
};
