import { beforeAll, describe, expect, test } from 'vitest';
import type { Actor } from '../../kernel/actor.js';
import { givenEndpoint, poor, rich, type GivenEndpoint } from '../../testing/given-endpoint.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { suspendEndpoint } from '../deployments/index.js';
import { decisionById, listDecisions } from './decisions.queries/index.js';

let app: TestApp;
let endpoint: GivenEndpoint;
beforeAll(async () => {
  app = await testApp();
  endpoint = await givenEndpoint(app);
});

const REQUEST = `mutation ($input: DecisionRequestInput!) { requestDecision(input: $input) { id state isRepeated } }`;
const MANY = `mutation ($input: DecisionRequestManyInput!) { requestDecisions(input: $input) { id isRepeated } }`;

interface Requested {
  readonly requestDecision: { readonly id: string; readonly state: string; readonly isRepeated: boolean };
}

let keys = 0;
const fresh = (): string => {
  keys += 1;
  return `case-${String(keys)}`;
};

const request = (given: Record<string, unknown> = {}, actor: Actor = app.service()) =>
  app.graphql<Requested>(actor, REQUEST, {
    input: {
      endpoint: endpoint.slug,
      idempotencyKey: fresh(),
      application: rich,
      statedIncome: 80_000,
      consent: true,
      ...given,
    },
  });

const requestMany = (requests: readonly object[]) =>
  app.graphql<{ requestDecisions: { id: string; isRepeated: boolean }[] }>(app.service(), MANY, {
    input: { endpoint: endpoint.slug, requests },
  });

const one = (given: Record<string, unknown> = {}) => ({
  idempotencyKey: fresh(),
  application: rich,
  consent: true,
  ...given,
});

const used = { key: 'used-before' };

describe('a key', () => {
  test('gives the same decision for the same request, and refuses another one', async () => {
    const idempotencyKey = fresh();
    const one = await request({ idempotencyKey });
    const same = await request({ idempotencyKey });
    const other = await request({ idempotencyKey, application: poor });

    expect(same.data?.requestDecision).toMatchObject({ id: one.data?.requestDecision.id, isRepeated: true });
    expect(other).toMatchObject({ code: 'CONFLICT' });
    expect(other.errors[0]?.extensions?.['details']).toMatchObject({ rule: 'idempotency' });
  });

  test('gives what it gave when the endpoint is suspended meanwhile, and nothing to new ones', async () => {
    const other = await givenEndpoint(app);
    const given = { endpoint: other.slug, idempotencyKey: fresh() };
    const first = await request(given);
    await app.run(suspendEndpoint, other.owner, { endpointId: other.id, reason: 'odd answers' });

    const again = await request(given);

    expect(again.data?.requestDecision).toMatchObject({
      id: first.data?.requestDecision.id,
      isRepeated: true,
    });
    expect((await request({ ...given, application: poor })).code).toBe('CONFLICT');
    expect((await request({ ...given, idempotencyKey: fresh() })).code).toBe('PRECONDITION_FAILED');
    await app.drainJobs();
  });

  test('gives one decision to callers who come at the same moment', async () => {
    const idempotencyKey = fresh();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => request({ idempotencyKey, subjectRef: 'twin' })),
    );

    expect(answers.flatMap(({ errors }) => errors)).toEqual([]);
    expect(new Set(answers.map(({ data }) => data?.requestDecision.id)).size).toBe(1);
  });
});

describe('a request is refused', () => {
  test.each([
    [
      'that offers an excluded feature',
      { application: { ...rich, sex: 'Female' } },
      'INVALID_INPUT',
      'excluded-feature',
    ],
    [
      'that writes an excluded feature otherwise',
      { application: { ...rich, 'Marital Status': 'x' } },
      'INVALID_INPUT',
      'excluded-feature',
    ],
    [
      'with a field that nobody knows',
      { application: { ...rich, shoe_size: 43 } },
      'INVALID_INPUT',
      undefined,
    ],
    ['with a number out of range', { application: { ...rich, age: 400 } }, 'INVALID_INPUT', undefined],
    [
      'with a category that does not exist',
      { application: { ...rich, workclass: 'Pirate' } },
      'INVALID_INPUT',
      undefined,
    ],
    [
      'without a number that has no stand-in',
      { application: { ...rich, age: null } },
      'INVALID_INPUT',
      undefined,
    ],
    ['without consent', { consent: false }, 'PRECONDITION_FAILED', 'consent'],
    ['with a name for a pseudonym', { subjectRef: 'jane@example.org' }, 'INVALID_INPUT', undefined],
    ['with an address for a key', { idempotencyKey: 'jane@example.org' }, 'INVALID_INPUT', undefined],
    [
      'with a number in another notation',
      { application: { ...rich, age: '0x20' } },
      'INVALID_INPUT',
      undefined,
    ],
    ['to an endpoint that does not exist', { endpoint: 'nowhere' }, 'NOT_FOUND', undefined],
  ])('%s', async (_, given, code, rule) => {
    const answer = await request(given);

    expect(answer.code).toBe(code);
    if (rule !== undefined) expect(answer.errors[0]?.extensions?.['details']).toMatchObject({ rule });
  });

  test('names the field at fault', async () => {
    const answer = await request({ application: { ...rich, age: 'old' } });

    expect(answer.errors[0]?.extensions?.['details']).toMatchObject({
      fields: [{ path: 'application.age' }],
    });
  });

  test('by an engineer, who may not ask', async () => {
    expect((await request({}, await app.actor('engineer'))).code).toBe('FORBIDDEN');
  });
});

describe('a call with many requests', () => {
  test('accepts what is new and gives what was accepted before, in the order of the call', async () => {
    const old = one();
    const [before] = (await requestMany([old])).data?.requestDecisions ?? [];

    const { data } = await requestMany([one(), old, one()]);

    expect(data?.requestDecisions.map(({ isRepeated }) => isRepeated)).toEqual([false, true, false]);
    expect(data?.requestDecisions[1]?.id).toBe(before?.id);
  });

  test.each([
    ['one of them is at fault', () => [one(), one({ application: { ...rich, age: 400 } })], 'INVALID_INPUT'],
    ['one of its keys was used for another', () => [one(), one({ idempotencyKey: used.key })], 'CONFLICT'],
    [
      'two of them have one key',
      () => Array.from({ length: 2 }, () => one({ idempotencyKey: 'twice' })),
      'INVALID_INPUT',
    ],
    ['there are more than a call may have', () => Array.from({ length: 1000 }, () => one()), 'INVALID_INPUT'],
    ['there is none', () => [], 'INVALID_INPUT'],
  ])('accepts nothing when %s', async (_, requests, code) => {
    await request({ idempotencyKey: used.key, application: poor });
    const count = async () =>
      (await app.ask(listDecisions, await app.actor('reviewer'), { first: 200 })).nodes.length;
    const before = await count();

    expect((await requestMany(requests())).code).toBe(code);

    expect(await count()).toBe(before);
  });
});

test.each([
  ['a number without an end', 'age', Number.POSITIVE_INFINITY],
  ['what is no number', 'capital_gain', 'NaN'],
  ['a number beyond all numbers', 'capital_gain', 1e300],
  ['a negative number', 'hours_per_week', -1],
  ['half a number', 'education_num', 9.5],
  ['a number for a category', 'workclass', 3],
  ['a category in other letters', 'workclass', 'private'],
  ['half a character', 'occupation', '\ud800'],
  ['a character that ends texts', 'occupation', 'Sales\0'],
])('%s in an application is refused, and the field is named', async (_, name, value) => {
  const answer = await request({ application: { ...rich, [name]: value } });

  expect(answer.code).toBe('INVALID_INPUT');
  expect(JSON.stringify(answer.errors[0])).toContain(name);
});

test.each([
  ['markup', '<script>alert(1)</script>{{7*7}}${process.env}'],
  ['a statement', "'; drop table decision; --"],
  ['letters that turn round', 'abc \u202Egnirts'],
  ['as much as fits', 'x'.repeat(2000)],
])('a note with %s is kept as it is and breaks nothing', async (_, note) => {
  const { data, errors } = await request({ note });
  expect(errors).toEqual([]);
  await app.drainJobs();

  const id = data?.requestDecision.id ?? '';
  const decision = await app.ask(decisionById, await app.actor('reviewer'), { id });

  expect(['DONE', 'WAITING']).toContain(decision.state);
  expect(decision.request).toMatchObject({ note });
  expect(decision.note).not.toContain(note);
});

test.each([
  ['a note that is too long', { note: 'x'.repeat(2001) }],
  ['a stated income below zero', { statedIncome: -1 }],
  ['a key that is too long', { idempotencyKey: 'k'.repeat(201) }],
  ['an application with a list', { application: { ...rich, age: [1] } }],
])('%s is refused', async (_, given) => {
  expect((await request(given)).code).toBe('INVALID_INPUT');
});
