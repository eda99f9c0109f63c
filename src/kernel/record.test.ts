import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openKernel, type Kernel } from '../testing/kernel.js';
import { newId } from './id.js';
import { defineJob } from './job.js';
import {
  defineRecording,
  recordingRunner,
  type RecordContext,
  type RecordOutcome,
  type RecordSpec,
} from './record.js';

let kernel: Kernel;
beforeAll(async () => {
  kernel = await openKernel();
});

const specOf = <Result>(
  write: (context: RecordContext) => Promise<RecordOutcome<Result>>,
): RecordSpec<Result> => ({
  name: 'reading.record',
  permission: 'decision:record',
  write,
});

const read = (tx: RecordContext['tx'], values: readonly number[]) =>
  tx.sql(`insert into reading select id, $1, value from unnest($2::uuid[], $3::int[]) as r (id, value)`, [
    kernel.workspaceId,
    values.map(() => newId()),
    values,
  ]);

const countOf = async (value: number): Promise<number> => {
  const scope = { workspaceId: kernel.workspaceId, organizationId: null, commandId: null };
  const rows = await kernel.db.transact('app_reader', scope, (tx) =>
    tx.sql('select 1 from reading where value = $1', [value]),
  );
  return rows.length;
};

const job = defineJob({
  name: 'reading.sum',
  queue: 'light',
  payload: z.object({ value: z.int() }),
  attempts: 1,
  timeoutMs: 1000,
  handle: () => Promise.resolve(),
});

describe('a record', () => {
  test('adds many rows in one transaction, with the work it asks for and its one entry', async () => {
    const batch = newId();

    const service = kernel.actor('service');
    const jobId = await kernel.record(
      service,
      specOf(async ({ tx, enqueue }) => {
        await read(tx, [10, 10, 10]);
        return {
          result: enqueue(job, { value: 10 }),
          audit: { subject: { kind: 'batch', id: batch }, facts: { root: 'abc' } },
        };
      }),
    );
    expect(await countOf(10)).toBe(3);
    expect(await kernel.trail(batch)).toMatchObject([{ command: 'reading.record', outcome: 'done' }]);
    expect(await kernel.rows('select job from outbox where id = $1', [jobId])).toEqual([
      { job: 'reading.sum' },
    ]);
  });

  test.each([
    ['without an entry', null],
    ['with one', { subject: { kind: 'batch', id: 'b' } }],
  ])('never changes what is governed, %s', async (_, audit) => {
    const id = await kernel.thing(1);

    const attempt = kernel.record(
      kernel.actor('service'),
      specOf(async ({ tx }) => {
        await read(tx, [20]);
        await tx.sql('update thing set size = 5 where id = $1', [id]);
        return { result: null, audit };
      }),
    );

    await expect(attempt).rejects.toThrow('governed tables are changed by commands');
    expect(await kernel.sizeOf(id)).toBe(1);
    expect(await countOf(20)).toBe(0);
  });

  test('is refused to who may not record', async () => {
    const attempt = kernel.record(
      kernel.actor('owner'),
      specOf(async ({ tx }) => ({ result: await read(tx, [15]), audit: null })),
    );

    await expect(attempt).rejects.toMatchObject({
      code: 'FORBIDDEN',
      details: { permission: 'decision:record' },
    });
    expect(await countOf(15)).toBe(0);
  });

  test('does not rewrite or delete what was recorded', async () => {
    for (const statement of ['update reading set value = 0', 'delete from reading']) {
      const attempt = kernel.record(
        kernel.actor('service'),
        specOf(async ({ tx }) => ({ result: await tx.sql(statement), audit: null })),
      );
      await expect(attempt).rejects.toThrow('permission denied');
    }
  });

  test('does not write into another workspace', async () => {
    const attempt = kernel.record(
      kernel.actor('service', newId()),
      specOf(async ({ tx }) => ({ result: await read(tx, [30]), audit: null })),
    );

    await expect(attempt).rejects.toThrow('row-level security');
  });

  test('is done again after a deadlock, and asks for its work once', async () => {
    let tries = 0;

    const id = await kernel.record(
      kernel.actor('service'),
      specOf(async ({ tx, enqueue }) => {
        tries += 1;
        await read(tx, [40]);
        const jobId = enqueue(job, { value: 40 });
        if (tries === 1)
          await tx.sql(`do $$ begin raise exception 'deadlock' using errcode = '40P01'; end $$`);
        return { result: jobId, audit: null };
      }),
    );

    expect(tries).toBe(2);
    expect(await countOf(40)).toBe(1);
    const posted = await kernel.rows(`select id from outbox where payload ->> 'value' = '40'`);
    expect(posted).toEqual([{ id }]);
  });

  test('gives two batches with the same persons in another order one key each, without a deadlock', async () => {
    const persons = Array.from({ length: 50 }, (_, index) => `person-${String(index)}`);
    const keysFor = (ids: readonly string[]) =>
      kernel.record(
        kernel.actor('service'),
        specOf(async ({ keysOf }) => ({ result: await keysOf(ids), audit: null })),
      );

    const [one, two] = await Promise.all([keysFor(persons), keysFor(persons.toReversed())]);

    expect(one.size).toBe(50);
    for (const [person, key] of one) expect(two.get(person)?.equals(key)).toBe(true);
  });

  test('of a door is parsed before anything is written', async () => {
    const recording = defineRecording({
      name: 'reading.add',
      describe: 'Adds readings.',
      permission: 'decision:record',
      input: z.object({ values: z.array(z.int()).min(1) }),
      write: async ({ tx }, { values }) => {
        await read(tx, values);
        return { result: values.length, audit: null };
      },
    });
    const record = recordingRunner(kernel.record);

    expect(await record(recording, kernel.actor('service'), { values: [50] })).toBe(1);
    const empty = record(recording, kernel.actor('service'), { values: [] });
    await expect(empty).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const nowhere = { ...kernel.actor('service'), workspaceId: null };
    await expect(record(recording, nowhere, { values: [50] })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    expect(kernel.observed.at(-1)).toEqual({
      kind: 'record',
      name: 'reading.add',
      outcome: 'PRECONDITION_FAILED',
    });
  });
});
