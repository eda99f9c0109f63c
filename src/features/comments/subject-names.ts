import type { ReadDb } from '../../kernel/db.js';

/** What a thing is called, and where it is looked at. */
export interface SubjectName {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly link: string | null;
}

const version = `m.name || ' version ' || v.version`;
const versionLink = `'/models/' || m.id || '/versions/' || v.id`;
const ofVersion = `join model_version v on v.id = x.version_id join registered_model m on m.id = v.model_id`;

/** One select per kind, over the ids in $1; kinds and ids are those of the trail. */
const selects: readonly string[] = [
  `select 'changeRequest', c.id, 'change request #' || c.number, '/changes/' || c.number from change_request c`,
  `select 'model', m.id, 'the model ' || m.name, '/models/' || m.id from registered_model m`,
  `select 'modelVersion', v.id, ${version}, ${versionLink} from model_version v join registered_model m on m.id = v.model_id`,
  `select 'artifact', x.id, 'the file ' || x.path || ' of ' || ${version}, ${versionLink} from artifact x ${ofVersion}`,
  `select 'card', x.id, 'the card of ' || ${version}, ${versionLink} from model_card x ${ofVersion}`,
  `select 'evaluation', x.id, 'an evaluation of ' || ${version}, ${versionLink} from evaluation x ${ofVersion}`,
  `select 'evidence', x.id, 'evidence of ' || lower(x.kind) || ' of ' || ${version}, ${versionLink} from evidence x ${ofVersion}`,
  `select 'finding', f.id, 'the finding «' || f.title || '»', '/findings/' || f.id from finding f`,
  `select 'dataset', d.id, 'the data set ' || d.name, '/datasets/' || d.id from dataset d`,
  `select 'datasetVersion', x.id, 'the data set ' || d.name || ' version ' || x.version, '/datasets/' || d.id from dataset_version x join dataset d on d.id = x.dataset_id`,
  `select 'incident', i.id, 'the incident «' || i.title || '»', '/incidents/' || i.id from incident i`,
  `select 'riskAssessment', x.id, 'a risk assessment of ' || u.name, '/use-cases/' || u.id from risk_assessment x join use_case u on u.id = x.use_case_id`,
  `select 'useCase', u.id, 'the use case ' || u.name, '/use-cases/' || u.id from use_case u`,
  `select 'endpoint', e.id, 'the endpoint ' || e.slug, '/endpoints/' || e.slug from endpoint e`,
  `select 'review', r.id, 'a decision under review', '/reviews/' || r.id from human_review r`,
  `select 'policy', p.id, 'revision ' || p.revision || ' of the approval policy', '/policy' from approval_policy p`,
  `select 'report', r.id, 'a report', '/reports/' || r.id from report r`,
  `select 'reportSchedule', s.id, 'a report schedule', '/reports' from report_schedule s`,
  `select 'member', m.id, u.display_name, '/members' from member m join app_user u on u.id = m.user_id`,
  `select 'user', u.id, u.display_name, '/members' from app_user u`,
  `select 'webhook', w.id, 'the webhook ' || w.name, '/settings/webhooks' from webhook w`,
];

const statement = selects
  .map((select) => `select * from (${select}) as named (kind, id, name, link) where id = any($1::uuid[])`)
  .join(' union all ');

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const keyOf = (kind: string, id: string): string => `${kind}/${id}`;

/** What things are called, found in one statement. */
export const namesOf = async (
  db: ReadDb,
  subjects: readonly { readonly kind: string; readonly id: string }[],
): Promise<(kind: string, id: string) => SubjectName | undefined> => {
  const ids = [...new Set(subjects.map(({ id }) => id).filter((id) => uuid.test(id)))];
  const rows = ids.length === 0 ? [] : await db.sql<SubjectName>(statement, [ids]);
  const byKey = new Map(rows.map((row) => [keyOf(row.kind, row.id), row]));
  return (kind, id) => byKey.get(keyOf(kind, id));
};
