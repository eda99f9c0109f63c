import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openLog } from './log.js';
import { withTrace } from './trace.js';

const logged = (write: (log: ReturnType<typeof openLog>) => void): Record<string, unknown> => {
  const lines: string[] = [];
  write(openLog({ level: 'info' }, { write: (line) => lines.push(line) }));
  return JSON.parse(lines[0] ?? '{}') as Record<string, unknown>;
};

const names = [
  'password',
  'token',
  'apiToken',
  'access_token',
  'clientSecret',
  'Authorization',
  'cookie',
  'set-cookie',
  'personal',
  'inputs',
  'parameters',
  'email',
  'userEmail',
  'displayName',
  'display_name',
  'sealed',
  'wrapped_key',
  'privateKey',
];

describe('the log', () => {
  test('lets no secret and no personal field out, however deep it is and however it is written', () => {
    const path = fc.array(fc.constantFrom('a', 'list', 'headers'), { maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...names), path, fc.boolean(), (name, around, inList) => {
        const innermost: unknown = { [name]: inList ? [{ value: 'HUSH' }] : 'HUSH' };
        const object = around.reduce<unknown>(
          (inner, key) => ({ [key]: key === 'list' ? [inner] : inner }),
          innermost,
        );
        const line = logged((log) => {
          log.info({ object }, 'a line');
        });
        expect(JSON.stringify(line)).not.toContain('HUSH');
        expect(JSON.stringify(line)).toContain('[removed]');
      }),
    );
  });

  test('of a part has no secret of its own either', () => {
    const line = logged((log) => {
      log.child({ job: 'a.job', request: { token: 'HUSH' } }).info('a line');
    });

    expect(line).toMatchObject({ job: 'a.job', request: { token: '[removed]' } });
  });

  test('keeps what is neither', () => {
    const line = logged((log) => {
      log.info({ job: 'a.job', attempts: 3, subject: { kind: 'thing', id: '7' }, at: new Date(0) }, 'a line');
    });

    expect(line).toMatchObject({
      job: 'a.job',
      attempts: 3,
      subject: { kind: 'thing', id: '7' },
      at: '1970-01-01T00:00:00.000Z',
      msg: 'a line',
    });
  });

  test('says of a database error what happened, and nothing of the row', () => {
    const driver = Object.assign(new Error('invalid input syntax for type uuid: "HUSH"'), {
      code: '22P02',
      detail: 'Key (email)=(HUSH) already exists.',
      where: 'HUSH',
    });
    const failed = Object.assign(new Error(driver.message, { cause: driver }), {
      code: '22P02',
      query: `select 'HUSH'`,
      parameters: ['HUSH'],
      driverError: driver,
    });

    const line = logged((log) => {
      log.error({ err: failed, nested: { err: failed } }, 'It failed');
    });

    expect(JSON.stringify(line)).not.toContain('HUSH');
    expect(line['err']).toMatchObject({ message: 'The database refused a value (22P02)', code: '22P02' });
  });

  test('has type, message, stack and cause of any other error', () => {
    const line = logged((log) => {
      log.error({ err: new TypeError('a bug', { cause: new Error('its reason') }) }, 'It failed');
    });

    expect(line['err']).toMatchObject({
      type: 'TypeError',
      message: 'a bug',
      cause: { message: 'its reason' },
    });
    expect(JSON.stringify(line)).toContain('log.test.ts');
  });

  test('carries the request that caused the line', () => {
    const line = withTrace({ requestId: 'request-3', door: 'http' }, () =>
      logged((log) => {
        log.info('a line');
      }),
    );

    expect(line).toMatchObject({ requestId: 'request-3', door: 'http' });
  });
});
