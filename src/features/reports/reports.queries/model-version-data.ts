import type { ReadDb } from '../../../kernel/db.js';
import { notFound } from '../../../kernel/errors.js';
import { cardField } from '../../cards/index.js';
import { newestEvidence, type EvidenceView } from '../../evaluations/index.js';
import { actorName, rowsOf, shownTime, standing, type DataRow, type ReportData } from '../report-data.js';
import type { Report } from '../report.entity.js';
import { auditSlice, mostAuditEntries } from './audit-slice.js';
import { evidenceTables } from './evidence-tables.js';

interface VersionRow {
  readonly model: string;
  readonly kind: string;
  readonly version: number;
  readonly state: string;
  readonly digest: string | null;
  readonly description: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly codeCommit: string | null;
  readonly parent: number | null;
}

const readVersion = async (db: ReadDb, id: string): Promise<VersionRow> => {
  const [row] = await db.sql<VersionRow>(
    `select m.name as model, m.kind, v.version, v.state, v.digest, v.description, ${actorName('v.created_by')} as "createdBy",
            v.created_at as "createdAt", v.lineage ->> 'codeCommit' as "codeCommit", p.version as parent
       from model_version v join registered_model m on m.id = v.model_id
       left join model_version p on p.id::text = v.lineage ->> 'parentVersionId'
      where v.id = $1 and v.deleted_at is null`,
    [id],
  );
  if (!row) throw notFound('The version');
  return row;
};

interface UseCaseRow {
  readonly id: string;
  readonly name: string;
  readonly purpose: string;
  readonly people: string;
  readonly tier: string;
  readonly owner: string;
}

/** Uses for which something is known of the version. */
const readUseCases = (db: ReadDb, versionId: string): Promise<UseCaseRow[]> =>
  db.sql<UseCaseRow>(
    `select u.id, u.name, u.purpose, u.people_affected as people, u.risk_tier as tier, ${actorName('u.owner_id::text')} as owner
       from use_case u
      where u.id in (select use_case_id from evidence where version_id = $1
                     union select use_case_id from change_request where version_id = $1
                     union select use_case_id from model_card where version_id = $1)
      order by u.id`,
    [versionId],
  );

const changes = `
  select c.number, c.title, c.reason, c.state, u.name as "useCase", c.alias, ${actorName('c.requested_by')} as "requestedBy",
         c.created_at as "createdAt", c.executed_at as "executedAt", c.close_reason as "closeReason",
         c.manifest_sha256 as "manifestSha256", c.id
    from change_request c left join use_case u on u.id = c.use_case_id
   where c.version_id = $1 and c.created_at <= $2 order by c.number`;

const approvals = `
  select c.number, a.verdict, a.role, ${actorName('a.by::text')} as by, a.reason, a.created_at as "createdAt",
         a.voided_at is null as valid, ${standing}, a.void_reason as "voidReason", a.manifest_sha256 as "manifestSha256", a.id
    from approval a join change_request c on c.id = a.change_request_id
   where c.version_id = $1 and a.created_at <= $2 order by a.id`;

const findings = `
  select f.id, f.title, f.detail, f.severity, f.state, ${actorName('f.owner_id::text')} as owner, f.due_at as "dueAt",
         (f.state = 'OPEN' and f.due_at < $2) as overdue, f.created_at as "createdAt", f.resolution
    from finding f
   where f.created_at <= $2 and ((f.subject_kind = 'modelVersion' and f.subject_id = $1)
      or f.change_request_id in (select id from change_request where version_id = $1)) order by f.id`;

const card = `
  select u.name as "useCase", f.key as field, f.value ->> 'value' as value, f.value ->> 'source' as source,
         ${actorName(`(f.value ->> 'by')`)} as by, (f.value ->> 'at') as at
    from model_card k join use_case u on u.id = k.use_case_id, jsonb_each(k.fields) f
   where k.version_id = $1 and k.created_at <= $2 order by u.id, f.key`;

/** The fields in the order of `policies/cards.yaml`, by the names that people read. */
const labelled = (rows: readonly DataRow[]): DataRow[] => {
  const known = rows.map((row) => {
    const { label, place } = cardField(String(row['field']));
    return { place, row: { ...row, label } };
  });
  return known.toSorted((a, b) => a.place - b.place).map(({ row }) => row);
};

const artifacts = `select path, bytes::float8 as bytes, sha256 from artifact where version_id = $1 and created_at <= $2 order by path`;

const aliases = `
  select a.name, u.name as "useCase", ${actorName('a.moved_by')} as "movedBy", a.moved_at as "movedAt"
    from model_alias a left join use_case u on u.id = a.use_case_id where a.version_id = $1 and a.moved_at <= $2 order by a.name`;

const datasets = `
  select d ->> 'name' as name, d ->> 'role' as role, d ->> 'sha256' as sha256
    from model_version v, jsonb_array_elements(v.lineage -> 'datasets') d where v.id = $1 and v.created_at <= $2`;

const auditSubjects = `
  select 'modelVersion', $1::text
  union all select 'artifact', id::text from artifact where version_id = $1::uuid
  union all select 'evaluation', id::text from evaluation where version_id = $1::uuid
  union all select 'evidence', id::text from evidence where version_id = $1::uuid
  union all select 'card', id::text from model_card where version_id = $1::uuid
  union all select 'changeRequest', id::text from change_request where version_id = $1::uuid
  union all select 'finding', id::text from finding where subject_kind = 'modelVersion' and subject_id = $1::uuid`;

/** An alias may name another version by now, or be gone: what counts is that it was moved to this version or away. */
const aliasMoves = `
  e.subject_kind = 'alias' and $1::text in (
    convert_from(e.canonical, 'UTF8')::jsonb #>> '{changes,versionId,from}',
    convert_from(e.canonical, 'UTF8')::jsonb #>> '{changes,versionId,to}')`;

const factsOf = (version: VersionRow, uses: readonly UseCaseRow[], aliasRows: readonly DataRow[]): ReportData['facts'] => [
  { label: 'Model', value: `${version.model} (${version.kind})` },
  { label: 'Version', value: `${String(version.version)}, ${version.state}${version.parent === null ? '' : `, made from version ${String(version.parent)}`}` },
  { label: 'Description', value: version.description || 'None given' },
  { label: 'Digest of the version', value: version.digest ?? 'Not submitted' },
  { label: 'Created', value: `${shownTime(version.createdAt)} by ${version.createdBy}` },
  { label: 'Code', value: version.codeCommit ?? 'Unknown' },
  { label: 'Aliases', value: aliasRows.map((row) => String(row['name'])).join(', ') || 'None' },
  ...uses.map(({ name, tier, owner }) => ({ label: 'Use case', value: `${name}; risk ${tier}; owner ${owner}` })),
];

const newest = (evidence: readonly EvidenceView[]): string | null =>
  evidence.toSorted((a, b) => (a.id < b.id ? 1 : -1))[0]?.useCaseId ?? null;

/** Everything that is known of a version at the report's cut-off. */
export const modelVersionData = async (db: ReadDb, report: Report): Promise<ReportData> => {
  const { subjectId: id, cutOff } = report;
  const version = await readVersion(db, id);
  const uses = await readUseCases(db, id);
  const evidence = (await newestEvidence(db, id, null, cutOff)).filter(({ createdAt }) => createdAt <= cutOff);
  const useCaseName = (useCaseId: string): string => uses.find((one) => one.id === useCaseId)?.name ?? useCaseId;
  const shownUse = newest(evidence);
  const read = (text: string): Promise<DataRow[]> => rowsOf(db, text, [id, cutOff]);
  const aliasRows = await read(aliases);
  const audit = await auditSlice(db, { subjects: auditSubjects, also: aliasMoves, subjectId: id, from: null, to: cutOff });
  const dataset = evidence[0]?.result.dataset;
  const changeRows = await read(changes);
  const findingRows = await read(findings);
  const tables = {
    useCases: uses.map(({ name, purpose, people, tier, owner }) => ({ name, purpose, people, tier, owner })),
    ...evidenceTables(evidence, useCaseName, () => `version ${String(version.version)}`),
    changes: changeRows,
    approvals: await read(approvals),
    findings: findingRows,
    card: labelled(await read(card)),
    artifacts: await read(artifacts),
    datasets: await read(datasets),
    aliases: aliasRows,
    audit: audit.rows,
  };
  return {
    schema: 'countersign.report-data/1',
    template: report.template,
    title: `${version.model}, version ${String(version.version)}`,
    cutOff: cutOff.toISOString(),
    values: {
      useCase: shownUse === null ? '' : useCaseName(shownUse),
      cutOff: shownTime(cutOff),
      dataset: dataset ? `${dataset.name}, ${dataset.rows.toLocaleString('en-US')} rows` : 'no data set',
      openFindings: String(findingRows.filter((row) => row['state'] === 'OPEN').length),
      auditNote: audit.leftOut ? `Only the first ${String(mostAuditEntries)} entries are shown.` : 'All entries are shown.',
    },
    facts: factsOf(version, uses, aliasRows),
    tables,
  };
};
