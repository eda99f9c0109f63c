import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, test } from 'vitest';
import { givenEvidence, givenPromotable } from '../../testing/given-change.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { testDoor, type TestDoor } from '../../testing/door.js';
import { approvalRoutes } from '../approvals/approvals.http.js';
import { checkRoutes } from './checks.http.js';

let app: TestApp;
let door: TestDoor;
beforeAll(async () => {
  app = await testApp();
  door = await testDoor(app, { routes: [checkRoutes, approvalRoutes] });
});

/** The official schema of draft 4; what Ajv names otherwise is renamed. */
const sarifValidator = () => {
  const path = createRequire(import.meta.url).resolve(
    '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json',
  );
  const { id: _, $schema: __, ...schema } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  addFormats.default(ajv);
  return ajv.compile(schema);
};

interface Log {
  readonly $schema: string;
  readonly runs: readonly {
    readonly results: readonly { ruleId: string; level: string; properties: object }[];
  }[];
}

const download = async (path: string, actor: Parameters<TestDoor['headersOf']>[0]) => {
  const response = await fetch(`${door.address}${path}`, { headers: door.headersOf(actor) });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: (await response.json()) as Log,
  };
};

describe('as SARIF', () => {
  const isSarif = sarifValidator();

  test('failing checks and refusals are logs that the official schema accepts', async () => {
    const given = await givenPromotable(app, { bare: true });
    await givenEvidence(app, given, { FAIRNESS: 'FAIL' });
    const { versionId, useCaseId, engineer } = given;
    const base = `/v1/model-versions/${versionId}`;

    const checks = await download(`${base}/checks.sarif?useCaseId=${useCaseId}`, engineer);
    const refusal = await download(`${base}/promotion.sarif?useCaseId=${useCaseId}&alias=champion`, engineer);

    for (const { status, type, body } of [checks, refusal]) {
      expect(status).toBe(200);
      expect(type).toContain('application/sarif+json');
      isSarif(body);
      expect(isSarif.errors ?? []).toEqual([]);
    }
    expect(checks.body.runs[0]?.results).toContainEqual(
      expect.objectContaining({ ruleId: 'fairness-thresholds', level: 'error' }),
    );
    expect(refusal.body.runs[0]?.results.map((one) => one.ruleId)).toEqual(
      expect.arrayContaining(['evidence.FAIRNESS', 'card.intendedUse', 'approvals.validator']),
    );
    expect(isSarif({ version: '2.1.0' })).toBe(false);
  });

  test('what passes everything has no result', async () => {
    const given = await givenPromotable(app);
    const answer = await download(
      `/v1/model-versions/${given.versionId}/checks.sarif?useCaseId=${given.useCaseId}`,
      given.engineer,
    );

    expect(answer.body.runs[0]?.results.map((one) => one.ruleId)).not.toContain('fairness-thresholds');
  });

  test.each([
    ['without a use case', '', 400],
    ['with an id that is none', '?useCaseId=x', 400],
    ['of a version of nowhere', `?useCaseId=${crypto.randomUUID()}`, 404],
  ])('is refused %s', async (_, query, status) => {
    const engineer = await app.actor('engineer');
    const path = `/v1/model-versions/${crypto.randomUUID()}/checks.sarif${query}`;

    expect((await download(path, engineer)).status).toBe(status);
    expect((await download(path, null)).status).toBe(401);
  });
});
