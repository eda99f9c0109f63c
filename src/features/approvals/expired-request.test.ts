import { beforeAll, expect, test } from 'vitest';
import { champion, givenPromotable, givenRequest } from '../../testing/given-change.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { deleteAlias } from '../registry/index.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const day = 86_400_000;

const SET = `mutation ($input: AliasSetInput!) { setAlias(input: $input) { id } }`;
const STATE = `query ($id: ID!) { changeRequest(id: $id) { number state } }`;

test('a refusal names no request whose time is over, although nobody has closed it yet', async () => {
  const given = await givenPromotable(app);
  const { modelId, versionId, useCaseId } = given;
  const old = await givenRequest(app, given);
  const input = { modelId, name: 'champion', versionId, useCaseId };
  const before = app.run(deleteAlias, given.engineer, { modelId, name: 'champion' });
  await expect(before).rejects.toMatchObject({ details: { changeRequest: { number: 1 } } });
  app.clock.advance(31 * day);

  const deleted = await app
    .run(deleteAlias, given.engineer, { modelId, name: 'champion' })
    .catch((error: unknown) => error);
  const state = await app.graphql(given.engineer, STATE, { id: old });

  expect(deleted).toMatchObject({ details: { rule: 'protected-alias' } });
  expect(deleted).not.toHaveProperty('details.changeRequest');
  expect(String(deleted)).not.toContain('#1');
  expect(state.data).toMatchObject({ changeRequest: { number: 1, state: 'OPEN' } });

  // What people can be asked for leads on to a new one, and the old one is closed.
  const { errors } = await app.graphql(given.engineer, SET, { input });
  const after = await app.graphql(given.engineer, STATE, { id: old });

  expect(errors[0]?.extensions?.['details']).toMatchObject({ changeRequest: { number: 2 } });
  expect(errors[0]?.message).not.toContain('#1');
  expect(after.data).toMatchObject({ changeRequest: { state: 'EXPIRED' } });
  expect(await champion(app, modelId)).toBeUndefined();
});
