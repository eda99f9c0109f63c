import { beforeAll, describe, expect, test } from 'vitest';
import { bypasses, doors } from './table.js';
import { openRequests, openWorld, resolved, type World } from './world.js';

/*
 * Every way around the gate that we know, at all three doors, over HTTP. What is refused names its rule; whatever is
 * done, the protected names resolve to what they did, in the tables and as it is fetched.
 */

let world: World;
let before: unknown;
let open: number;
beforeAll(async () => {
  world = await openWorld();
  before = await resolved(world);
  open = await openRequests(world);
});

describe.each(doors)('there is no way around through %s by', (door) => {
  const tried = bypasses.flatMap(({ by, [door]: cell }) => ('none' in cell ? [] : [{ by, cell }]));

  test.each(tried)('$by', async ({ cell }) => {
    const answer = await cell.tried(world);

    if ('refusedBy' in cell) expect(answer).toMatchObject({ refused: true, why: cell.refusedBy });
    else expect(answer).toMatchObject({ refused: false });
    expect(await resolved(world)).toEqual(before);
  });
});

test('every refusal about champion led to the one request that was open', async () => {
  const { given, second, mlflow, name, asked } = world;
  const input = { modelId: given.modelId, versionId: second, name: 'champion' };
  const [graphql, protocol] = [
    await world.graphql('setAlias', 'AliasSetInput', input),
    await mlflow.post('registered-models/alias', { name, alias: 'champion', version: '2' }),
  ];

  for (const { details } of [graphql, { details: protocol.details }]) {
    expect(details).toMatchObject({
      rule: 'protected-alias',
      changeRequest: { id: asked.id, number: expect.any(Number) as number },
      failing: expect.arrayContaining([expect.objectContaining({ rule: 'approvals.validator' })]) as unknown,
    });
  }
  // One for each other protected name that was tried, policies and tiers aside.
  expect(await openRequests(world)).toBeGreaterThan(open);
});

test('the table says of every door how it is tried, or why it is not', () => {
  for (const { by, ...cells } of bypasses) {
    const said = doors.map((door) => cells[door]);
    expect([by, said.some((cell) => !('none' in cell))]).toEqual([by, true]);
  }
  expect(new Set(bypasses.map(({ by }) => by)).size).toBe(bypasses.length);
});

test('what is compared would show a move: it does, once somebody breaks the glass', async () => {
  const { given, second } = world;
  const input = { versionId: second, alias: 'champion', useCaseId: given.useCaseId };
  const reason = 'The present version decides at random since noon';
  const answer = await world.graphql(
    'breakGlass',
    'ChangeRequestBreakGlassInput',
    { ...input, reason },
    'compliance',
  );

  expect(answer).toMatchObject({ refused: false });
  expect(await resolved(world)).not.toEqual(before);
});
