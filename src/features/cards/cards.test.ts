import { beforeAll, describe, expect, test } from 'vitest';
import { givenUseCase, givenVersion } from '../../testing/given-version.js';
import { deleteModelVersion } from '../registry/index.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const UPDATE = `mutation ($input: CardUpdateInput!) { updateCard(input: $input) { id } }`;
const READ = `query ($versionId: ID!, $useCaseId: ID!) { card(versionId: $versionId, useCaseId: $useCaseId) {
  revision fields { name governed automatic value source by } completeness { known total unknown unknownGoverned } } }`;

interface Card {
  card: {
    revision: number;
    fields: { name: string; value: unknown; source: string; by: string | null }[];
    completeness: { known: number; total: number; unknown: string[]; unknownGoverned: string[] };
  };
}

const given = async (): Promise<{ versionId: string; useCaseId: string }> => {
  const { versionId } = await givenVersion(app);
  return { versionId, useCaseId: await givenUseCase(app) };
};

const read = async (place: { versionId: string; useCaseId: string }): Promise<Card['card']> => {
  const { data } = await app.graphql<Card>(await app.actor('auditor'), READ, place);
  if (!data) throw new Error('no card');
  return data.card;
};

const fieldOf = (card: Card['card'], name: string) => card.fields.find((one) => one.name === name);

test('the card of a deleted version is there for who reads the trail, and nobody else', async () => {
  const place = await given();
  const engineer = await app.actor('engineer');
  const auditor = await app.actor('auditor');
  const input = { ...place, fields: [{ name: 'intendedUse', value: 'Routing' }] };
  await app.graphql(engineer, UPDATE, { input });
  await app.run(deleteModelVersion, engineer, { versionId: place.versionId });
  const head = 'query ($versionId: ID!, $useCaseId: ID!)';
  const here = 'versionId: $versionId, useCaseId: $useCaseId';
  const documents = [
    READ,
    `${head} { cardRevisions(${here}) { nodes { revision } } }`,
    `${head} { cardCompleteness(${here}) { framework } }`,
    `${head} { exportCard(${here}, format: GOOGLE) { sha256 } }`,
    `${head} { compareCards(from: { ${here} }, to: { ${here} }) { differences { name } } }`,
  ];

  for (const document of documents) {
    expect([document, (await app.graphql(engineer, document, place)).code]).toEqual([document, 'NOT_FOUND']);
    expect([document, (await app.graphql(auditor, document, place)).code]).toEqual([document, undefined]);
  }
});

test('a card says what is known, what was attested and by whom, and what nobody knows', async () => {
  const place = await given();
  const before = await read(place);
  const engineer = await app.actor('engineer');

  const { data } = await app.graphql<{ updateCard: { id: string } }>(engineer, UPDATE, {
    input: { ...place, fields: [{ name: 'intendedUse', value: 'Routing only' }] },
  });
  const after = await read(place);

  expect(before.revision).toBe(0);
  expect(fieldOf(before, 'modelName')).toMatchObject({ source: 'AUTO' });
  expect(fieldOf(before, 'intendedUse')).toMatchObject({ source: 'UNKNOWN', value: null });
  expect(before.completeness.unknownGoverned).toContain('intendedUse');
  expect(fieldOf(after, 'intendedUse')).toMatchObject({
    source: 'ATTESTED',
    value: 'Routing only',
    by: engineer.id,
  });
  expect(after.completeness.known).toBe(before.completeness.known + 1);
  expect(after.completeness.unknownGoverned).not.toContain('intendedUse');
  expect(await app.trail(data?.updateCard.id ?? '')).toEqual([
    { command: 'card.update', outcome: 'done', actorId: engineer.id },
  ]);
});

test('null says that something is not known any more', async () => {
  const place = await given();
  const engineer = await app.actor('engineer');
  await app.graphql(engineer, UPDATE, { input: { ...place, fields: [{ name: 'contact', value: 'team' }] } });

  await app.graphql(engineer, UPDATE, { input: { ...place, fields: [{ name: 'contact', value: null }] } });

  expect(fieldOf(await read(place), 'contact')).toMatchObject({ source: 'UNKNOWN' });
});

test('the same value again changes nothing and leaves no second entry', async () => {
  const place = await given();
  const input = { ...place, fields: [{ name: 'contact', value: 'team' }] };
  const engineer = await app.actor('engineer');
  const { data } = await app.graphql<{ updateCard: { id: string } }>(engineer, UPDATE, { input });

  await app.graphql(engineer, UPDATE, { input });

  expect((await read(place)).revision).toBe(1);
  expect(await app.trail(data?.updateCard.id ?? '')).toHaveLength(1);
});

test('two people who fill one card at the same instant both find their field in it', async () => {
  const place = await given();
  const compliance = await app.actor('compliance');

  await Promise.all([
    app.graphql(await app.actor('engineer'), UPDATE, {
      input: { ...place, fields: [{ name: 'contact', value: 'team' }] },
    }),
    app.graphql(compliance, UPDATE, {
      input: { ...place, fields: [{ name: 'limitations', value: 'young people' }] },
    }),
  ]);

  const card = await read(place);
  expect(card.revision).toBe(2);
  expect([fieldOf(card, 'contact')?.value, fieldOf(card, 'limitations')?.value]).toEqual([
    'team',
    'young people',
  ]);
});

describe('a card is not changed', () => {
  test.each([
    ['by a reviewer', 'reviewer', {}, 'FORBIDDEN'],
    [
      'in a field that no card has',
      'engineer',
      { fields: [{ name: 'shoeSize', value: '42' }] },
      'INVALID_INPUT',
    ],
    [
      'in a field that fills itself',
      'engineer',
      { fields: [{ name: 'digest', value: 'x' }] },
      'INVALID_INPUT',
    ],
    [
      'twice in one field',
      'engineer',
      {
        fields: [
          { name: 'contact', value: 'a' },
          { name: 'contact', value: 'b' },
        ],
      },
      'INVALID_INPUT',
    ],
    ['to nothing', 'engineer', { fields: [{ name: 'contact', value: ' ' }] }, 'INVALID_INPUT'],
    ['over what somebody else wrote since', 'engineer', { expectedRevision: 7 }, 'CONFLICT'],
    ['of a version of nowhere', 'engineer', { versionId: crypto.randomUUID() }, 'NOT_FOUND'],
    ['in a use case of nowhere', 'engineer', { useCaseId: crypto.randomUUID() }, 'NOT_FOUND'],
  ] as const)('%s', async (_, role, change, code) => {
    const input = { ...(await given()), fields: [{ name: 'contact', value: 'team' }], ...change };

    expect((await app.graphql(await app.actor(role), UPDATE, { input })).code).toBe(code);
  });
});
