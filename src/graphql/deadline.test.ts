import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openDeadlines, type Deadline } from './deadline.js';

const never = new Promise<never>(() => undefined);

test('each operation has the whole time, whenever it begins, and is told when it is over', async () => {
  const inTime = openDeadlines(100);
  const given: Deadline[] = [];
  const started = performance.now();
  const begin = async (after: number): Promise<number> => {
    await sleep(after);
    const late = inTime((deadline) => {
      given.push(deadline);
      deadline.throwIfAborted();
      return never;
    });
    await expect(late).rejects.toMatchObject({ details: { rule: 'graphql-deadline', limitSeconds: 0.1 } });
    return performance.now() - started - after;
  };
  const lengths = await Promise.all([0, 10, 70, 250].map(begin));
  for (const length of lengths) expect(length).toBeGreaterThanOrEqual(95);
  expect(Math.max(...lengths)).toBeLessThan(1_000);
  for (const deadline of given) expect(() => deadline.throwIfAborted()).toThrow('longer than 0.1 s');
});

test('an operation that ends in time is not given up later', async () => {
  const inTime = openDeadlines(20);
  const given: Deadline[] = [];
  const done = await inTime((deadline) => {
    given.push(deadline);
    return Promise.resolve('done');
  });
  await expect(inTime(() => Promise.reject(new Error('its own fault')))).rejects.toThrow('its own fault');
  await sleep(60);
  expect(done).toBe('done');
  expect(given).toHaveLength(1);
  expect(() => given[0]?.throwIfAborted()).not.toThrow();
});
