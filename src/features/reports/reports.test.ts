import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ExcelJS from 'exceljs';
import { beforeAll, describe, expect, test } from 'vitest';
import { systemActor } from '../../kernel/actor.js';
import { canonicalBytes } from '../../kernel/audit.js';
import { giveUpJob } from '../../kernel/give-up.js';
import { decide, givenCard, givenRequest, type Given } from '../../testing/given-change.js';
import { sampleApplications } from '../../testing/given-endpoint.js';
import { givenEnsemble, givenUseCase, referenceFiles } from '../../testing/given-version.js';
import { testDoor, type TestDoor } from '../../testing/door.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { renderPdf } from '../../compute/report/pdf/render.js';
import { createEndpoint } from '../deployments/index.js';
import { startEvaluation } from '../evaluations/index.js';
import { createFinding } from '../findings/index.js';
import { deleteAlias, setAlias } from '../registry/index.js';
import { reportData } from './report-data.js';
import { reportRoutes } from './reports.http.js';
import { buildPaper } from './reports.jobs/build-paper.js';
import { readTemplate } from './template.js';

const RENDER = `mutation ($input: ReportRenderInput!) { renderReport(input: $input) { id jobId } }`;
const REPORT = `query ($id: ID!) { report(id: $id) {
  state failure title dataSha256 pdfSha256 pdfBytes xlsxSha256 xlsxBytes cutOff requestedByName } }`;
const dayMs = 86_400_000;

let app: TestApp;
let door: TestDoor;
let given: Given;
let endpointId: string;

/** A version with real evidence, an approved promotion, findings with long texts, an endpoint and decisions. */
beforeAll(async () => {
  app = await testApp();
  door = await testDoor(app, { routes: [reportRoutes] });
  const files = await referenceFiles('1.0.0', { data: true });
  const { modelId, versionId } = await givenEnsemble(app, { files });
  await app.drainJobs();
  given = {
    modelId,
    versionId,
    useCaseId: await givenUseCase(app),
    engineer: await app.actor('engineer'),
    validator: await app.actor('validator', { name: '=HYPERLINK("http://evil","Vera Validator")' }),
    compliance: await app.actor('compliance'),
    owner: await app.actor('owner'),
  };
  const about = { versionId, useCaseId: given.useCaseId };
  await app.run(startEvaluation, given.engineer, { ...about, datasetPath: 'data/adult-heldout.csv.gz' });
  await app.drainJobs();
  await givenCard(app, given, 'Routes the verification of stated incomes; it never refuses anybody. '.repeat(6));
  const request = await givenRequest(app, given);
  await decide(app, given.validator, request);
  await decide(app, given.compliance, request);
  await app.run(createFinding, given.compliance, {
    title: 'Women are overestimated on average',
    detail: 'The probabilities of women are too high on average and those of men too low, because the model may not read sex. '.repeat(9),
    severity: 'MEDIUM',
    ownerId: given.owner.id,
    dueAt: new Date(app.clock.now().getTime() + 30 * dayMs),
    subjectKind: 'modelVersion',
    subjectId: versionId,
  });
  const input = { slug: 'income', name: 'Income routing', useCaseId: given.useCaseId, modelId, alias: 'champion' };
  ({ id: endpointId } = await app.run(createEndpoint, given.owner, input));
  await app.drainJobs();
  const DECIDE = `mutation ($input: DecisionRequestInput!) { requestDecision(input: $input) { id } }`;
  const service = app.service();
  for (const [index, { inputs }] of sampleApplications().slice(0, 12).entries()) {
    const application = { endpoint: 'income', idempotencyKey: `k${String(index)}`, application: inputs, statedIncome: 60_000, consent: true };
    expect((await app.graphql(service, DECIDE, { input: application })).errors).toEqual([]);
  }
  await app.drainJobs();
}, 180_000);

interface Shown {
  report: {
    state: string;
    failure: string | null;
    title: string;
    dataSha256: string;
    pdfSha256: string;
    pdfBytes: number;
    xlsxSha256: string;
  };
}

const render = async (input: Record<string, unknown>): Promise<{ id: string } & Shown['report']> => {
  const { data, errors } = await app.graphql<{ renderReport: { id: string } }>(await app.actor('auditor'), RENDER, { input });
  expect(errors).toEqual([]);
  await app.drainJobs();
  const id = data?.renderReport.id ?? '';
  const shown = await app.graphql<Shown>(await app.actor('auditor'), REPORT, { id });
  if (!shown.data) throw new Error('The report is not shown');
  return { id, ...shown.data.report };
};

const fetchFile = async (file: string, role: 'auditor' | 'engineer' = 'auditor'): Promise<{ status: number; bytes: Buffer; headers: Headers }> => {
  const response = await fetch(`${door.address}/v1/reports/${file}`, { headers: door.headersOf(await app.actor(role)) });
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()), headers: response.headers };
};

const run = promisify(execFile);

/** Text and facts of a PDF by an independent reader, where the machine has one. */
const readPdf = async (bytes: Buffer): Promise<{ info: string; text: string } | null> => {
  const path = join(app.folder, 'report.pdf');
  await writeFile(path, bytes);
  try {
    const [info, text] = await Promise.all([run('pdfinfo', [path]), run('pdftotext', ['-layout', path, '-'])]);
    return { info: info.stdout, text: text.stdout };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
};

const period = () => {
  const to = app.clock.now();
  return { from: new Date(to.getTime() - 7 * dayMs), to };
};

describe('the report about a version', () => {
  let report: { id: string } & Shown['report'];
  beforeAll(async () => {
    report = await render({ template: 'model-version', subjectId: given.versionId });
  }, 60_000);

  test('is rendered by a job, and the trail says who asked and what came out', async () => {
    expect(report).toMatchObject({ state: 'DONE', failure: null });
    expect((await app.trail(report.id)).map(({ command, outcome }) => [command, outcome])).toEqual([
      ['report.render', 'done'],
      ['report.begin', 'done'],
      ['report.record', 'done'],
    ]);
  });

  test('has data in canonical form whose digest stands on every page', async () => {
    const { bytes } = await fetchFile(`${report.id}.json`);

    expect(createHash('sha256').update(bytes).digest('hex')).toBe(report.dataSha256);
    expect(canonicalBytes(JSON.parse(bytes.toString()))).toBe(bytes.toString());
  });

  test('is a tagged PDF with embedded fonts, whose pages are numbered and carry the digest', async () => {
    const { bytes, headers } = await fetchFile(`${report.id}.pdf`);
    expect(bytes.subarray(0, 5).toString()).toBe('%PDF-');
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(report.pdfSha256);
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename="model-[\w-]+\.pdf"$/);
    expect(bytes.includes('/MarkInfo')).toBe(true);
    expect(bytes.includes('/FontFile2')).toBe(true);

    const read = await readPdf(bytes);
    if (!read) return;
    const pages = Number(/Pages:\s+(\d+)/.exec(read.info)?.[1]);
    expect(read.info).toMatch(/Tagged:\s+yes/);
    for (let page = 1; page <= pages; page += 1) expect(read.text).toContain(`Page ${String(page)} of ${String(pages)}`);
    expect(read.text.match(new RegExp(report.dataSha256.slice(0, 16), 'g'))?.length).toBeGreaterThanOrEqual(pages);
    for (const part of ['Summary', 'Scope', 'Performance', 'Fairness', 'Attribution', 'Approvals', 'Findings', 'Evidence register', 'Limits of the data']) {
      expect(read.text).toContain(part);
    }
    expect(read.text).toContain('n = 2,504');
  });

  test('has the same bytes when it is rendered again from the same data', async () => {
    const { bytes } = await fetchFile(`${report.id}.json`);
    const paper = buildPaper(readTemplate('model-version'), reportData.parse(JSON.parse(bytes.toString())), { reportId: report.id, dataSha256: report.dataSha256 });

    expect(createHash('sha256').update(await renderPdf(paper)).digest('hex')).toBe(report.pdfSha256);
  });

  test('has a workbook with a sheet per table, real dates, frozen headers, filters, and no formula', async () => {
    const { bytes } = await fetchFile(`${report.id}.xlsx`);
    const book = new ExcelJS.Workbook();
    await book.xlsx.load(new Uint8Array(bytes).buffer);

    expect(book.worksheets.map(({ name }) => name)).toEqual([
      'README', 'Summary', 'Verdicts', 'Metrics', 'Calibration', 'Fairness', 'Comparisons', 'Attribution',
      'Approvals', 'Change requests', 'Findings', 'Evidence', 'Audit trail',
    ]);
    for (const sheet of book.worksheets) {
      expect(sheet.views[0]).toMatchObject({ state: 'frozen', ySplit: 3, xSplit: 1 });
      expect(sheet.autoFilter).toBeTruthy();
      expect(sheet.headerFooter.oddFooter).toContain(report.dataSha256.slice(0, 16));
      sheet.eachRow((row) => {
        row.eachCell((cell) => {
          expect(cell.type).not.toBe(ExcelJS.ValueType.Formula);
        });
      });
    }
    const approvals = book.getWorksheet('Approvals');
    expect(approvals?.getRow(4).getCell(5).value).toBeInstanceOf(Date);
    expect(approvals?.getRow(4).getCell(4).value).toBe(`'=HYPERLINK("http://evil","Vera Validator")`);
    const metrics = book.getWorksheet('Metrics');
    const accuracy = metrics?.getRows(4, 30)?.find((row) => row.getCell(2).value === 'accuracy');
    expect(accuracy?.getCell(4).value).toBeCloseTo(0.854, 2);
    expect(book.getWorksheet('Audit trail')?.rowCount).toBeGreaterThan(10);
  });

  test('leaves a trace when it is fetched', async () => {
    await fetchFile(`${report.id}.pdf`, 'engineer');

    expect((await app.trail(report.id)).at(-1)).toEqual({ command: 'report.download', outcome: 'read', actorId: given.engineer.id });
  });

  test('is not given to a stranger, and neither is what does not exist', async () => {
    const stranger = await app.actor('auditor', { name: 'stranger', workspaceId: await app.otherWorkspace() });
    const statuses = await Promise.all(
      [`${report.id}.pdf`, `${report.id}.exe`, 'nonsense'].map(async (file) => {
        const response = await fetch(`${door.address}/v1/reports/${file}`, { headers: door.headersOf(stranger) });
        return response.status;
      }),
    );

    expect(statuses).toEqual([404, 404, 404]);
    expect((await fetch(`${door.address}/v1/reports/${report.id}.pdf`)).status).toBe(401);
  });
});

test('the report about an endpoint counts what was decided in the period, with shares and intervals', async () => {
  const report = await render({ template: 'endpoint-period', subjectId: endpointId, ...period() });
  const { bytes } = await fetchFile(`${report.id}.json`);
  const data = JSON.parse(bytes.toString()) as {
    values: Record<string, string>;
    tables: Record<string, { n?: number; state?: string; low?: number; high?: number; value?: number; kind?: string }[]>;
  };

  expect(report.state).toBe('DONE');
  expect(data.values['decisions']).toBe('12');
  expect(data.tables['actions']?.reduce((sum, row) => sum + (row.value ?? 0), 0)).toBeCloseTo(1, 12);
  expect(data.tables['versions']).toHaveLength(1);
  expect(data.tables['evidence']?.map(({ kind }) => kind).sort()).toEqual(['ATTRIBUTION', 'FAIRNESS', 'PERFORMANCE']);
}, 60_000);

test('figures of two versions are told apart, and a share says of how many it is one', async () => {
  const report = await render({ template: 'endpoint-period', subjectId: endpointId, ...period() });
  const { bytes } = await fetchFile(`${report.id}.json`);
  const data = reportData.parse(JSON.parse(bytes.toString()));
  for (const table of ['evidence', 'groups', 'attribution', 'checks']) {
    expect(new Set(data.tables[table]?.map(({ version }) => version)), table).toEqual(new Set(['version 1']));
  }
  const twice = data.tables['groups']?.flatMap((row) => [row, { ...row, version: 'version 2' }]) ?? [];
  const paper = buildPaper(
    readTemplate('endpoint-period'),
    { ...data, tables: { ...data.tables, groups: twice } },
    { reportId: report.id, dataSha256: report.dataSha256 },
  );
  const charts = paper.blocks.filter((block) => block.kind === 'chart');

  expect(charts.map(({ title }) => /version \d/.exec(title)?.[0])).toEqual([undefined, 'version 1', 'version 2']);
  const total = data.tables['actions']?.reduce((sum, { n }) => sum + Number(n), 0);
  expect(charts[0]?.alt).toContain(`, n = ${String(total)}`);
  expect(charts[1]?.alt.match(/Female: /g)).toHaveLength(1);
}, 60_000);

test('the trail of a version keeps the moves of an alias that is gone', async () => {
  const actor = given.engineer;
  const alias = { modelId: given.modelId, name: 'candidate' };
  await app.run(setAlias, actor, { ...alias, versionId: given.versionId });
  await app.run(deleteAlias, actor, alias);
  const report = await render({ template: 'model-version', subjectId: given.versionId });
  const data = reportData.parse(JSON.parse((await fetchFile(`${report.id}.json`)).bytes.toString()));
  const moves = data.tables['audit']?.filter(({ subjectKind }) => subjectKind === 'alias').map(({ command }) => command);

  expect(moves).toEqual(['changeRequest.decide', 'alias.set', 'alias.delete']);
  expect(data.tables['card']?.[0]).toMatchObject({ field: 'intendedUse', label: 'Intended use' });
  expect(data.tables['approvals']?.[0]).toMatchObject({ valid: true, standing: 'yes' });
}, 60_000);

test('a report about nothing says that nothing is known instead of showing empty tables', async () => {
  const to = new Date(app.clock.now().getTime() - 30 * dayMs);
  const report = await render({ template: 'endpoint-period', subjectId: endpointId, from: new Date(to.getTime() - dayMs), to });
  const read = await readPdf((await fetchFile(`${report.id}.pdf`)).bytes);

  expect(report.state).toBe('DONE');
  if (read) expect(read.text).toContain('No decision was asked for in this period.');
}, 60_000);

test('a report whose job failed for the last time says so, and has no files', async () => {
  const { data } = await app.graphql<{ renderReport: { id: string; jobId: string } }>(await app.actor('auditor'), RENDER, {
    input: { template: 'model-version', subjectId: given.versionId },
  });
  const { id = '', jobId = '' } = data?.renderReport ?? {};
  const actor = systemActor('job:reports.render', { workspaceId: app.workspaceId, organizationId: app.organizationId });
  await app.run(giveUpJob, actor, { id: jobId, name: 'reports.render', attempts: 3, reason: 'The disk is full', code: 'INTERNAL' });
  await app.drainJobs({ only: ['reports.noteFailure'] });

  const { data: shown } = await app.graphql<Shown>(await app.actor('auditor'), REPORT, { id });
  expect(shown?.report).toMatchObject({ state: 'FAILED', failure: 'The disk is full', pdfSha256: null });
  expect((await fetchFile(`${id}.pdf`)).status).toBe(409);
  await app.drainJobs();
});

describe('a report is not rendered', () => {
  test.each([
    ['by a service account', 'service', {}, 'FORBIDDEN'],
    ['by a template that does not exist', 'auditor', { template: 'horoscope' }, 'INVALID_INPUT'],
    ['about a version that is not here', 'auditor', { subjectId: crypto.randomUUID() }, 'NOT_FOUND'],
    ['about a version with a period', 'auditor', { from: new Date(0), to: new Date(1) }, 'INVALID_INPUT'],
  ] as const)('%s', async (_, role, change, code) => {
    const actor = role === 'service' ? app.service() : await app.actor(role);
    const input = { template: 'model-version', subjectId: given.versionId, ...change };

    expect((await app.graphql(actor, RENDER, { input })).code).toBe(code);
  });

  test.each([
    ['without a period', {}],
    ['for a period that ends before it begins', { from: new Date(2000), to: new Date(1000) }],
    ['for a period in the future', { from: new Date(Date.now() + dayMs), to: new Date(Date.now() + 2 * dayMs) }],
    ['for a period of many years', { from: new Date(0), to: new Date(Date.now() - dayMs) }],
  ])('about an endpoint %s', async (_, change) => {
    const input = { template: 'endpoint-period', subjectId: endpointId, ...change };

    expect((await app.graphql(await app.actor('auditor'), RENDER, { input })).code).toBe('INVALID_INPUT');
  });
});
