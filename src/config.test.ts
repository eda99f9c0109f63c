import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig, settings } from './config.js';

const production = {
  COUNTERSIGN_MODE: 'production',
  DATABASE_URL: 'postgres://db/countersign',
  COUNTERSIGN_URL: 'https://countersign.example',
  COUNTERSIGN_KEYRING: '/keys/keyring.json',
  COUNTERSIGN_SIGNING_KEYS: '/keys/signing-keys.json',
  ARTIFACTS_URL: 's3://bucket/prefix?region=eu-west-1',
  OIDC_ISSUER: 'https://issuer.example',
  OIDC_CLIENT_ID: 'countersign',
  OIDC_CLIENT_SECRET: 'a secret',
};

const faultsOf = (environment: Record<string, string | undefined>): readonly string[] => {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
};
const named = (faults: readonly string[]): string[] =>
  faults.map((fault) => fault.split(/[ :]/)[0] ?? '').sort();

describe('the configuration', () => {
  test('needs nothing in development: the parts are embedded', () => {
    const config = readConfig({});

    expect(config).toMatchObject({
      mode: 'development',
      port: 4000,
      host: '127.0.0.1',
      database: { kind: 'embedded' },
      oidc: { kind: 'embedded' },
      queue: { kind: 'postgres' },
      artifacts: { kind: 'file' },
      keyring: { createIfMissing: true },
      signingKeys: { createIfMissing: true },
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('takes an empty setting for one that is not set', () => {
    const empty = Object.fromEntries(Object.keys(settings.shape).map((name) => [name, '']));

    expect(readConfig(empty)).toEqual(readConfig({}));
  });

  test('takes clicks of Slack only where it can answer', () => {
    const faults = faultsOf({ SLACK_SIGNING_SECRET: 'a secret', SLACK_APP_TOKEN: 'xapp-1' });

    expect(named(faults)).toEqual(['SLACK_APP_TOKEN', 'SLACK_SIGNING_SECRET']);
    expect(readConfig({ SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1' }).slack).toMatchObject({
      token: 'xoxb-1',
      appToken: 'xapp-1',
      signingSecret: null,
    });
  });

  test('names every fault at once', () => {
    const faults = faultsOf({
      PORT: '70000',
      DATABASE_URL: 'mysql://db',
      QUEUE_URL: 'amqp://queue',
      LOG_LEVEL: 'loud',
      SESSION_HOURS: '-1',
    });

    expect(named(faults)).toEqual(['DATABASE_URL', 'LOG_LEVEL', 'PORT', 'QUEUE_URL', 'SESSION_HOURS']);
  });

  test.each([
    ['COUNTERSIGN_URL', 'http://governance.example', 'https'],
    ['COUNTERSIGN_URL', 'http://localhost.evil.example', 'https'],
    ['COUNTERSIGN_URL', 'https://governance.example/countersign', 'without path'],
    ['COUNTERSIGN_URL', 'https://somebody@governance.example', 'a host alone'],
    ['OIDC_ISSUER', 'http://issuer.example/realms/one', 'https'],
    ['ARTIFACTS_URL', 's3:///prefix', 'bucket'],
    ['ARTIFACTS_URL', 'https://bucket.example', 'ARTIFACTS_URL'],
  ])('refuses %s=%s at the start, not when somebody first needs it', (name, value, says) => {
    const faults = faultsOf({ ...production, [name]: value });
    expect(named(faults)).toEqual([name]);
    expect(faults.join()).toContain(says);
  });

  test.each([
    'http://localhost:4000/',
    'http://127.0.0.1:4000',
    'http://[::1]',
    'http://keycloak.localhost:8080',
  ])('lets %s be plain: it stays on this machine', (address) => {
    const config = readConfig({ ...production, COUNTERSIGN_URL: address, OIDC_ISSUER: address });
    expect(config.url).toBe(address.replace(/\/$/, ''));
  });

  test('of production is complete with what it needs, and starts nothing embedded', () => {
    expect(readConfig(production)).toMatchObject({
      mode: 'production',
      database: { kind: 'external' },
      oidc: { kind: 'external', issuer: 'https://issuer.example' },
      artifacts: { kind: 's3', bucket: 'bucket', region: 'eu-west-1' },
      keyring: { createIfMissing: false },
      adHoc: 'tokens',
    });
  });

  const needed = Object.keys(production).filter((name) => name !== 'COUNTERSIGN_MODE');

  test.each(needed)('of production without %s is refused, and the setting is named', (missing) => {
    expect(named(faultsOf({ ...production, [missing]: undefined }))).toEqual([missing]);
  });

  test('of production names all that is missing, also when NODE_ENV said production', () => {
    expect(named(faultsOf({ NODE_ENV: 'production' }))).toEqual([...needed].sort());
  });

  test('with half of a sign-in is refused in development too', () => {
    expect(named(faultsOf({ OIDC_ISSUER: 'https://issuer.example' }))).toEqual([
      'OIDC_CLIENT_ID',
      'OIDC_CLIENT_SECRET',
    ]);
  });

  test('takes a mail server, and webhooks to this machine only in development', () => {
    const SMTP_URL = 'smtps://user:secret@mail.example';
    expect(
      readConfig({ SMTP_URL, MAIL_FROM: 'Gate <gate@x.example>', WEBHOOKS_ALLOW_LOOPBACK: 'true' }),
    ).toMatchObject({
      mail: { url: SMTP_URL, from: 'Gate <gate@x.example>' },
      webhooks: { allowLoopback: true },
    });
    expect(readConfig({})).toMatchObject({ mail: { url: null }, webhooks: { allowLoopback: false } });
    expect(named(faultsOf({ ...production, WEBHOOKS_ALLOW_LOOPBACK: 'true' }))).toEqual([
      'WEBHOOKS_ALLOW_LOOPBACK',
    ]);
    expect(named(faultsOf({ SMTP_URL: 'https://mail.example', MAIL_FROM: 'nobody' }))).toEqual([
      'MAIL_FROM',
      'SMTP_URL',
    ]);
  });

  test('never shows a secret in what it says of a fault', () => {
    const faults = faultsOf({
      ...production,
      OIDC_CLIENT_SECRET: 'HUSH',
      DATABASE_URL: 'mysql://user:HUSH@db',
    });

    expect(faults).not.toEqual([]);
    expect(faults.join()).not.toContain('HUSH');
  });
});
