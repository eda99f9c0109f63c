import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv } from 'ajv';
import ajvFormats from 'ajv-formats';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

import { settings } from '../src/config.js';

const root = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const service = z.looseObject({
  image: z.string().optional(),
  build: z.unknown().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  healthcheck: z.unknown().optional(),
  user: z.string().optional(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
});
const compose = z.looseObject({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.unknown()),
});

const text = read('docker-compose.yml');
const document: unknown = parse(text, { merge: true });
const { services, volumes } = compose.parse(document);
const servers = Object.entries(services).filter(([, { build }]) => build === undefined);

/** What the containers of the product are told, by compose and by the image itself. */
let told: string[];

beforeAll(() => {
  const image = [...read('deploy/Dockerfile').matchAll(/^(?:ENV)? +([A-Z_]+)=/gm)].map(
    ([, name]) => name ?? '',
  );
  told = [...new Set([...image, ...Object.keys(services['api']?.environment ?? {})])];
});

const validator = () => {
  const ajv = new Ajv({ allErrors: true, strict: false });
  ajvFormats.default(ajv, ['uri', 'uri-reference']);
  const schema = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(read('node_modules/dclint/schemas/compose.schema.json')));
  return ajv.compile({ ...schema, $schema: 'http://json-schema.org/draft-07/schema#' });
};

test('the compose file follows the compose specification', () => {
  const validate = validator();

  expect(validate(document), JSON.stringify(validate.errors, null, 2)).toBe(true);
  expect(validate({ services: { api: { imagee: 'x' } } })).toBe(false);
});

test('the system has all of its parts', () => {
  expect(Object.keys(services).sort()).toEqual(
    ['api', 'keycloak', 'migrate', 'objects', 'ollama', 'postgres', 'redis', 'worker'].sort(),
  );
});

test('the containers are told only settings that the configuration knows', () => {
  const known = new Set([...Object.keys(settings.shape), 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']);

  expect(told.filter((name) => !known.has(name))).toEqual([]);
  expect(told).toContain('DATABASE_URL');
  expect(told).toContain('NODE_ENV');
});

test('no password, secret or key has a default', () => {
  const values = Object.values(services).flatMap(({ environment }) => Object.entries(environment));
  const secrets = values.filter(([name]) => /PASSWORD|SECRET|ACCESS_KEY|_TOKEN/.test(name));

  expect(secrets.length).toBeGreaterThan(8);
  expect(secrets.filter(([, value]) => !/^\$\{[A-Z_]+(:\?.+|:-)\}$/.test(value))).toEqual([]);
  expect(text).not.toMatch(/:\/\/[^:/\s]*:[^$\s{]+@/);
});

test('every variable that must be given stands in the example, with no value', () => {
  const needed = [...text.matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name]) => name);
  const example = read('deploy/example.env');

  expect(needed.length).toBeGreaterThan(8);
  for (const name of needed) expect(example).toMatch(new RegExp(`^${String(name)}=$`, 'm'));
});

test('every server has a health check, a pinned version and ports on this machine only', () => {
  for (const [name, { image, healthcheck, ports }] of servers) {
    expect(healthcheck, name).toBeDefined();
    expect(image, name).toMatch(/:v?\d+\.\d+/);
    for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
  }
  expect(services['api']?.healthcheck).toBeDefined();
});

test('what a server keeps, it keeps in a named volume', () => {
  const kept = Object.values(services).flatMap((part) =>
    part.volumes.map((mount) => mount.split(':')[0] ?? ''),
  );

  expect(kept.filter((source) => !source.startsWith('./') && !(source in volumes))).toEqual([]);
  expect(Object.keys(volumes).filter((name) => !kept.includes(name))).toEqual([]);
});

test('the image copies what the repository has, all the data it reads, and does not run as root', () => {
  const dockerfile = read('deploy/Dockerfile');
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) =>
    (files ?? '').split(' '),
  );
  const data = ['policies', 'models', 'reports', 'docs'].filter((folder) => existsSync(join(root, folder)));

  expect(copied.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  expect(data).not.toEqual([]);
  expect(copied).toEqual(expect.arrayContaining(data));
  expect(dockerfile).toMatch(/\nUSER node\n/);
});
