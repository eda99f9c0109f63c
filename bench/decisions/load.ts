import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { installationRoot } from '../../src/kernel/root.js';
import type { Place } from './place.js';

interface Application {
  readonly inputs: Readonly<Record<string, unknown>>;
}

const applications = readFileSync(join(installationRoot, 'models', 'data', 'applications.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Application);

let made = 0;

const nextRequest = () => {
  made += 1;
  const { inputs } = applications[made % applications.length] ?? { inputs: {} };
  return {
    idempotencyKey: `bench-${String(process.pid)}-${String(made)}`,
    application: inputs,
    statedIncome: 30_000 + (made % 7) * 10_000,
    consent: true,
  };
};

const call = async <Data>(address: string, place: Place, query: string, input: unknown): Promise<Data> => {
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${place.token}`,
      'x-countersign-workspace': place.workspaceId,
    },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const body = (await response.json()) as { data?: Data; errors?: unknown };
  if (body.errors || !body.data)
    throw new Error(`${String(response.status)} ${JSON.stringify(body.errors ?? body)}`);
  return body.data;
};

const MANY = `mutation ($input: DecisionRequestManyInput!) { requestDecisions(input: $input) { id } }`;
const ONE = `mutation ($input: DecisionRequestInput!) { requestDecision(input: $input) { id } }`;

/** Asks for many decisions in one call of the GraphQL door. */
export const askMany = async (address: string, place: Place, count: number): Promise<string[]> => {
  const requests = Array.from({ length: count }, nextRequest);
  const input = { endpoint: place.endpoint, requests };
  const data = await call<{ requestDecisions: { id: string }[] }>(address, place, MANY, input);
  return data.requestDecisions.map(({ id }) => id);
};

const askOne = async (address: string, place: Place): Promise<string> => {
  const input = { endpoint: place.endpoint, ...nextRequest() };
  return (await call<{ requestDecision: { id: string } }>(address, place, ONE, input)).requestDecision.id;
};

/** Decisions whose pipeline has run: decided, or referred to a person. */
export const finishedAmong = async (pool: Pool, ids: readonly string[]): Promise<string[]> => {
  const { rows } = await pool.query<{ id: string }>(
    `select id from decision where id = any($1) and state not in ('ACCEPTED', 'RUNNING')`,
    [ids],
  );
  return rows.map(({ id }) => id);
};

/** How a phase of sustained load went. */
export interface Throughput {
  readonly decisions: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Everything that was decided in the phase, from its warm-up until its last decision. */
  readonly total: number;
}

/** Keeps the pipeline busy with calls of many requests for some seconds; counts what it finished in that time. */
export const sustain = async (
  address: string,
  place: Place,
  pool: Pool,
  options: {
    readonly seconds: number;
    readonly warmUpSeconds: number;
    readonly perCall: number;
    readonly backlog: number;
  },
): Promise<Throughput> => {
  const open = new Set<string>();
  const started = Date.now();
  let measuredFrom = 0;
  let finished = 0;
  let total = 0;
  for (;;) {
    const elapsed = (Date.now() - started) / 1000;
    const isOver = elapsed >= options.warmUpSeconds + options.seconds;
    while (!isOver && open.size < options.backlog) {
      for (const id of await askMany(address, place, options.perCall)) open.add(id);
      total += options.perCall;
    }
    const done = await finishedAmong(pool, [...open]);
    for (const id of done) open.delete(id);
    if (measuredFrom === 0 && elapsed >= options.warmUpSeconds) measuredFrom = Date.now();
    else if (measuredFrom > 0) finished += done.length;
    if (isOver) break;
    await sleep(50);
  }
  const seconds = (Date.now() - measuredFrom) / 1000;
  await settle(pool, open, 60_000);
  return { decisions: finished, seconds, perSecond: finished / seconds, total };
};

const settle = async (pool: Pool, open: Set<string>, withinMs: number): Promise<void> => {
  const until = Date.now() + withinMs;
  while (open.size > 0) {
    if (Date.now() > until) throw new Error(`${String(open.size)} decisions did not end`);
    for (const id of await finishedAmong(pool, [...open])) open.delete(id);
    await sleep(50);
  }
};

/** Times from the planned arrival of a request to the moment at which its decision is seen, in milliseconds. */
export interface Latencies {
  readonly sent: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  /** Median until the request was accepted. */
  readonly accepted: number;
}

/**
 * Sends single requests at a fixed rate, whether earlier ones have ended or not, and watches for their decisions. A
 * request counts from the moment at which it was due, so a stalled system cannot hide behind requests not sent.
 */
export const openLoop = async (
  address: string,
  place: Place,
  pool: Pool,
  options: { readonly perSecond: number; readonly seconds: number; readonly during?: () => void },
): Promise<Latencies> => {
  const due = new Map<string, number>();
  const times: number[] = [];
  const acceptTimes: number[] = [];
  const total = options.perSecond * options.seconds;
  const started = performance.now();
  const state = { sending: true, asked: 0, faults: [] as unknown[] };
  const watching = watch(pool, due, times, () => state.sending || state.asked > 0 || due.size > 0);
  for (let index = 0; index < total; index += 1) {
    const at = started + (index * 1000) / options.perSecond;
    const wait = at - performance.now();
    if (wait > 0) await sleep(wait);
    if (index === Math.floor(total / 3)) options.during?.();
    state.asked += 1;
    void askOne(address, place)
      .then((id) => {
        acceptTimes.push(performance.now() - at);
        due.set(id, at);
      })
      .catch((error: unknown) => state.faults.push(error))
      .finally(() => {
        state.asked -= 1;
      });
  }
  state.sending = false;
  await watching;
  if (state.faults.length > 0) throw state.faults[0];
  times.sort((one, other) => one - other);
  acceptTimes.sort((one, other) => one - other);
  const accepted = acceptTimes[Math.floor(acceptTimes.length / 2)] ?? Number.NaN;
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.ceil(times.length * share) - 1)] ?? Number.NaN;
  return { sent: total, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1), accepted };
};

const giveUpMs = 120_000;

const watch = async (
  pool: Pool,
  due: Map<string, number>,
  times: number[],
  isOn: () => boolean,
): Promise<void> => {
  const until = performance.now() + giveUpMs;
  while (isOn()) {
    if (performance.now() > until) throw new Error(`${String(due.size)} decisions did not end`);
    const done = due.size > 0 ? await finishedAmong(pool, [...due.keys()]) : [];
    const seen = performance.now();
    for (const id of done) {
      times.push(seen - (due.get(id) ?? seen));
      due.delete(id);
    }
    await sleep(10);
  }
};
