import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finishJob } from '../acts.js';
import { eventually } from './eventually.js';
import type { World } from './world.js';

interface DecisionAnswer {
  readonly decision: {
    readonly action: string | null;
    readonly probability: number | null;
    readonly note: string | null;
    readonly versionId: string;
    readonly changeRequestId: string;
    readonly evidenceIds: readonly string[];
    readonly steps: readonly { readonly agent: string; readonly status: string }[];
    readonly verification: { readonly isChainIntact: boolean; readonly isInTrail: boolean | null };
  };
}

interface BehindAnswer {
  readonly modelVersion: { readonly version: number; readonly digest: string };
  readonly changeRequest: {
    readonly number: number;
    readonly approvals: readonly {
      readonly role: string;
      readonly byName: string | null;
      readonly valid: boolean;
    }[];
  };
  readonly evidence: {
    readonly nodes: readonly { readonly id: string; readonly kind: string; readonly resultSha256: string }[];
  };
}

const readDecision = ({ people }: World, id: string): Promise<DecisionAnswer> =>
  people.auditor.ask<DecisionAnswer>(
    `query ($id: ID!) { decision(id: $id) {
     action probability note versionId changeRequestId evidenceIds
     steps { agent status } verification { isChainIntact isInTrail } } }`,
    { id },
  );

/** The auditor reads one decision back to its version, the approvals and the evidence. */
export const readBack = async (world: World, decisionId: string): Promise<void> => {
  const { account, people } = world;
  const { decision } = await account.step(
    people.auditor.name,
    'reads one decision back to where it came from',
    () =>
      eventually(
        () => readDecision(world, decisionId),
        (answer) => answer.decision.verification.isInTrail === true,
        'The head of the run does not stand in the trail',
      ),
  );
  account.fact(`${decision.action ?? ''} at probability ${(decision.probability ?? 0).toFixed(3)}`);
  account.fact(decision.note ?? '');
  const agents = decision.steps.filter((step) => step.status === 'done').map((step) => step.agent);
  account.fact(`steps: ${agents.join(' → ')}`);
  account.holds(decision.verification.isChainIntact, 'The hash chain of the run is broken');
  account.fact('hash chain recomputed: intact, and its head stands in the trail');
  const behind = await people.auditor.ask<BehindAnswer>(
    `query ($version: ID!, $change: ID!) {
       modelVersion(id: $version) { version digest }
       changeRequest(id: $change) { number approvals { role byName valid } }
       evidence(versionId: $version, first: 20) { nodes { id kind resultSha256 } } }`,
    { version: decision.versionId, change: decision.changeRequestId },
  );
  account.fact(
    `version ${String(behind.modelVersion.version)}, digest ${behind.modelVersion.digest.slice(0, 16)}…`,
  );
  const approvals = behind.changeRequest.approvals.filter((approval) => approval.valid);
  account.fact(
    `change request #${String(behind.changeRequest.number)}: ${approvals.map((one) => `${one.byName ?? ''} (${one.role})`).join(', ')}`,
  );
  account.holds(approvals.length >= 2, 'The version became champion without two approvals');
  const evidence = behind.evidence.nodes.filter((one) => decision.evidenceIds.includes(one.id));
  account.holds(evidence.length >= 3, 'The evidence behind the decision is not complete');
  for (const one of evidence) account.fact(`${one.kind}, sha256 ${one.resultSha256.slice(0, 16)}…`);
};

const download = async (world: World, path: string, folder: string, begins: string): Promise<void> => {
  const { account, people } = world;
  const response = await people.auditor.request(path);
  const bytes = Buffer.from(await response.arrayBuffer());
  account.holds(response.ok, `${path} answered ${String(response.status)}`);
  account.holds(
    bytes.subarray(0, begins.length).toString('latin1') === begins,
    `${path} is not what its name says`,
  );
  await mkdir(folder, { recursive: true });
  const file = join(folder, path.slice(path.lastIndexOf('/') + 1));
  await writeFile(file, bytes);
  account.fact(`${file}, ${String(Math.round(bytes.length / 1024))} KiB`);
};

/** The auditor has a report rendered and downloads it as PDF and workbook. */
export const takeReport = async (world: World, versionId: string, folder: string): Promise<void> => {
  const { account, people } = world;
  const reportId = await account.step(
    people.auditor.name,
    'has the report of the version rendered',
    async () => {
      const { renderReport } = await people.auditor.ask<{ renderReport: { id: string; jobId: string } }>(
        `mutation ($input: ReportRenderInput!) { renderReport(input: $input) { id jobId } }`,
        { input: { template: 'model-version', subjectId: versionId } },
      );
      await finishJob(people.auditor, renderReport.jobId);
      return renderReport.id;
    },
  );
  await account.step(people.auditor.name, 'downloads it', async () => {
    await download(world, `/v1/reports/${reportId}.pdf`, folder, '%PDF-');
    await download(world, `/v1/reports/${reportId}.xlsx`, folder, 'PK');
  });
};

interface TrailAnswer {
  readonly auditEvents: {
    readonly nodes: readonly {
      readonly at: string;
      readonly command: string;
      readonly outcome: string;
      readonly actor: { readonly name: string | null; readonly kind: string };
      readonly changes: readonly { readonly field: string; readonly from: unknown; readonly to: unknown }[];
      readonly facts: Readonly<Record<string, unknown>>;
      readonly verified: boolean;
    }[];
  };
}

type TrailEvent = TrailAnswer['auditEvents']['nodes'][number];

/** What an entry says beyond who and when, as far as one line holds it; the trail has it whole. */
const said = ({ changes, facts }: TrailEvent): string => {
  const { verdict, role, reason } = facts;
  const states = changes
    .filter(({ field }) => field === 'state')
    .map(({ from, to }) => [from, to].filter((state) => typeof state === 'string').join(' → '));
  if (typeof verdict === 'string') return `${verdict} as ${String(role)}: ${String(reason)}`;
  return states.length > 0 ? states.join() : typeof reason === 'string' ? reason : '';
};

/** The auditor lists what happened to a change request. */
export const listTrail = async (world: World, subjectId: string): Promise<void> => {
  const { account, people } = world;
  const { auditEvents } = await account.step(
    people.auditor.name,
    'lists the audit trail of the promotion',
    () =>
      people.auditor.ask<TrailAnswer>(
        `query ($subjectId: String) { auditEvents(subjectId: $subjectId, first: 20) {
         nodes { at command outcome actor { name kind } changes { field from to } facts verified } } }`,
        { subjectId },
      ),
  );
  for (const event of [...auditEvents.nodes].reverse()) {
    const who = event.actor.name ?? event.actor.kind;
    account.fact(
      `${event.at}  ${event.outcome.padEnd(7)}  ${event.command.padEnd(20)}  ${who.padEnd(14)}  ${said(event)}`.trimEnd(),
    );
  }
  account.holds(
    auditEvents.nodes.every((event) => event.verified),
    'An entry of the trail does not hash to its leaf',
  );
  const outcomes = new Set(auditEvents.nodes.map((event) => event.outcome));
  account.holds(
    outcomes.has('done') && outcomes.has('refused'),
    'The trail lacks the approvals or the refused attempt',
  );
};
