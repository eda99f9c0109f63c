/**
 * The dry run of a promotion and the replay of a policy, at the size that a large installation has after some years:
 * 1,000 models, 10,000 versions, 100,000 pieces of evidence, 10,000 change requests with two approvals each.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { migrations } from '../migrations/index.js';
import { openApp, type App } from '../src/app.js';
import { makeTemporaryHome, startPostgres } from '../src/embedded/postgres/index.js';
import { promotionCheck } from '../src/features/approvals/approvals.queries/promotion-check.js';
import { replayPolicy } from '../src/features/approvals/approvals.queries/replay-policy.js';
import { startingPolicies } from '../src/features/approvals/index.js';
import { enrolPerson } from '../src/features/identity/index.js';
import { createUseCase } from '../src/features/usecases/index.js';
import { createOrganization, createWorkspace } from '../src/features/workspaces/index.js';
import { systemActor, type Role, type UserActor } from '../src/kernel/actor.js';
import { migrate } from '../src/kernel/db.js';
import { openKeyring } from '../src/kernel/keyring.js';
import { openSigner } from '../src/kernel/signer.js';
import { openLog } from '../src/kernel/log.js';
import { fill, type Scope, type Size } from './policy/fill.js';

const { values: flags } = parseArgs({
  options: { checks: { type: 'string', default: '1000' }, small: { type: 'boolean', default: false } },
});
const checks = Number(flags.checks);
const size: Size = flags.small
  ? { models: 10, versions: 100, evidence: 1000, requests: 100 }
  : { models: 1000, versions: 10_000, evidence: 100_000, requests: 10_000 };
const goals = { checkP99Ms: 20, replaySeconds: 10 };

const people = async (app: App): Promise<{ scope: Scope; engineer: UserActor }> => {
  const setup = systemActor('setup');
  const organization = await app.run(createOrganization, setup, { slug: 'bench', name: 'Bench' });
  const founder = systemActor('setup', { organizationId: organization.id });
  const place = { slug: 'bench', name: 'Bench', startingPolicy: 'enforced' } as const;
  const workspace = await app.run(createWorkspace, founder, place);
  const where = { organizationId: organization.id, workspaceId: workspace.id };
  const person = async (role: Role, name: string = role): Promise<UserActor> => {
    const memberships = [{ workspaceId: workspace.id, roles: [role] }];
    const about = {
      issuer: 'https://bench.test',
      subject: name,
      displayName: name,
      email: null,
      memberships,
    };
    const { id } = await app.run(enrolPerson, setup, about);
    const rest = { authenticatedAt: new Date(), sessionId: null, tokenId: null, scopes: null };
    return { kind: 'user', id, name, roles: [role], ...where, ...rest };
  };
  const [engineer, validator, compliance, owner] = [
    await person('engineer'),
    await person('validator'),
    await person('compliance'),
    await person('owner'),
  ];
  for (let index = 0; index < 40; index += 1) await person('engineer', `engineer-${String(index)}`);
  const useCase = await app.run(createUseCase, owner, {
    slug: 'income-verification',
    name: 'Income verification',
    purpose: 'Route the verification of stated incomes',
    peopleAffected: 'Applicants',
    riskTier: 'HIGH',
  });
  const scope = {
    workspaceId: workspace.id,
    useCaseId: useCase.id,
    engineerId: engineer.id,
    validatorId: validator.id,
    complianceId: compliance.id,
  };
  return { scope, engineer };
};

const someVersions = async (url: string, count: number): Promise<string[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const text = 'select id from model_version order by md5(id::text) limit $1';
    const { rows } = await client.query<{ id: string }>(text, [count]);
    return rows.map((row) => row.id);
  } finally {
    await client.end();
  }
};

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

interface Latency {
  readonly name: string;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly perSecond: number;
}

/** Asks of different versions, so many at a time. */
const latencies = async (
  name: string,
  concurrency: number,
  ids: readonly string[],
  ask: (id: string) => Promise<unknown>,
): Promise<Latency> => {
  const times: number[] = [];
  const started = performance.now();
  const worker = async (first: number): Promise<void> => {
    for (let index = first; index < ids.length; index += concurrency) {
      const before = performance.now();
      await ask(ids[index] ?? '');
      times.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, index) => worker(index)));
  const perSecond = times.length / ((performance.now() - started) / 1000);
  times.sort((a, b) => a - b);
  return { name, p50: at(times, 0.5), p95: at(times, 0.95), p99: at(times, 0.99), perSecond };
};

const show = ({ name, p50, p95, p99, perSecond }: Latency): void => {
  const cells = [p50, p95, p99].map((value) => value.toFixed(2).padStart(10));
  console.log(`${name.padEnd(34)}${cells.join('')}${perSecond.toFixed(0).padStart(12)}`);
};

/** Five rounds over the same versions; the median round counts, so that what else the machine does matters less. */
const rounds = async (
  name: string,
  concurrency: number,
  ids: readonly string[],
  ask: (id: string) => Promise<unknown>,
): Promise<Latency> => {
  const all: Latency[] = [];
  for (let round = 0; round < 5; round += 1) all.push(await latencies(name, concurrency, ids, ask));
  all.sort((a, b) => a.p99 - b.p99);
  for (const one of all) show(one);
  const [, , middle] = all;
  if (!middle) throw new Error('No round was measured');
  return middle;
};

/** The median of three, over the whole history; the policy asks for an owner besides, so every request differs. */
const replays = async (app: App, engineer: UserActor): Promise<{ seconds: number; requests: number }> => {
  const enforced = startingPolicies().get('enforced')?.document;
  if (!enforced) throw new Error('policies/approvals/enforced.yaml is missing');
  const rules = enforced.rules.map((rule) => ({
    ...rule,
    approvals: [...rule.approvals, { anyOf: ['owner'], quorum: 1, step: 1 }],
  }));
  const seconds: number[] = [];
  let requests = 0;
  for (let round = 0; round < 3; round += 1) {
    const started = performance.now();
    const answer = await app.ask(replayPolicy, engineer, { document: { ...enforced, rules } });
    seconds.push((performance.now() - started) / 1000);
    requests = answer.requests;
    if (answer.wouldBeRefused !== size.requests)
      throw new Error(`The replay refused ${String(answer.wouldBeRefused)} of ${String(size.requests)}`);
  }
  seconds.sort((a, b) => a - b);
  return { seconds: at(seconds, 0.5), requests };
};

const home = await makeTemporaryHome('countersign-bench-policy');
const server = await startPostgres({
  home: home.path,
  profile: 'durable',
  stopOnExit: true,
  log: () => undefined,
});
try {
  await migrate(server.url, migrations);
  const keyring = await openKeyring(join(home.path, 'keyring.json'), { createIfMissing: true });
  const signer = await openSigner(join(home.path, 'signing-keys.json'), {
    createIfMissing: true,
    issuer: 'https://countersign.test',
  });
  const poolSize = { app_writer: 2, app_reader: 4, app_system: 2 };
  const log = openLog({ level: 'silent' });
  const app = await openApp({ databaseUrl: server.url, keyring, signer, log, name: 'bench', poolSize });
  try {
    const { scope, engineer } = await people(app);
    await fill(server.superuserUrl, scope, size);
    const ids = await someVersions(server.superuserUrl, checks + 300);
    const ask = (versionId: string): Promise<unknown> =>
      app.ask(promotionCheck, engineer, { versionId, alias: 'champion', useCaseId: scope.useCaseId });
    await latencies('warm-up', 1, ids.slice(0, 300), ask);
    console.log(
      `${String(size.models)} models, ${String(size.versions)} versions, ${String(size.evidence)} pieces of evidence\n`,
    );
    console.log(
      `${''.padEnd(34)}${['p50 ms', 'p95 ms', 'p99 ms'].map((cell) => cell.padStart(10)).join('')}${'per second'.padStart(12)}`,
    );
    const one = await rounds('promotionCheck, one at a time', 1, ids.slice(300), ask);
    const four = await rounds('promotionCheck, four at a time', 4, ids.slice(300), ask);
    const replayed = await replays(app, engineer);
    console.log(
      `replay of ${String(replayed.requests)} requests${''.padEnd(8)}${replayed.seconds.toFixed(2)} s`,
    );
    const reached = one.p99 < goals.checkP99Ms && replayed.seconds < goals.replaySeconds;
    console.log(
      `\n${JSON.stringify({ bench: 'policy', size, promotionCheck: { one, four }, replay: replayed, goals, reached })}`,
    );
    process.exitCode = reached ? 0 : 1;
  } finally {
    await app.close();
  }
} finally {
  await server.stop();
  await home.remove();
}
