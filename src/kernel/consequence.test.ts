import { beforeAll, expect, test } from 'vitest';
import { openKernel, resizeThing, type Kernel } from '../testing/kernel.js';
import { defineConsequence, type ConsequenceContext } from './consequence.js';

/** What the consequence of this test does with a thing that grows beyond 100, and what it saw. */
let seen: ConsequenceContext[] = [];

const halve = defineConsequence({
  name: 'thing.halve',
  follows: ['thing'],
  handle: async (context) => {
    seen.push(context);
    const { tx, entries } = context;
    const [entry] = entries;
    const size = Number(entry?.changes?.['size']?.to ?? 0);
    if (size > 1000) throw new Error('Nothing is as large as that');
    if (size <= 100 || !entry) return [];
    await tx.sql('update thing set size = size / 2 where id = $1', [entry.subject.id]);
    return [{ subject: entry.subject, facts: { halved: true } }];
  },
});
const deaf = defineConsequence({
  name: 'other.follow',
  follows: ['other'],
  handle: () => Promise.reject(new Error('Nobody changes this')),
});

let kernel: Kernel;
beforeAll(async () => {
  kernel = await openKernel([], [halve, deaf]);
});

test('a consequence happens in the transaction of the change, and its entry stands beside that of the command', async () => {
  const id = await kernel.thing(1);
  seen = [];
  await kernel.run(resizeThing, kernel.actor('owner'), { id, size: 120 });

  expect(await kernel.sizeOf(id)).toBe(60);
  const trail = (await kernel.trail(id)).slice(1);
  expect(trail).toMatchObject([
    { command: 'thing.resize', body: { changes: { size: { to: 120 } } } },
    { command: 'thing.resize', body: { facts: { halved: true } } },
  ]);
  // What it did itself causes nothing further.
  expect(seen).toHaveLength(1);
});

test('a change whose consequence fails does not happen and leaves no trail', async () => {
  const id = await kernel.thing(1);

  await expect(kernel.run(resizeThing, kernel.actor('owner'), { id, size: 2000 })).rejects.toThrow(
    'as large',
  );

  expect(await kernel.sizeOf(id)).toBe(1);
  expect(await kernel.trail(id)).toHaveLength(1);
});
