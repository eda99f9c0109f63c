import { beforeAll, describe, expect, test } from 'vitest';
import { createEndpoint, requestEndpointResume, suspendEndpoint } from '../deployments/index.js';
import { breakGlass, decideChange } from '../approvals/index.js';
import { reviewIncident } from '../incidents/index.js';
import { deleteModelVersion, moveAlias } from '../registry/index.js';
import { defineCommand } from '../../kernel/command.js';
import { newId } from '../../kernel/id.js';
import { z } from 'zod';
import {
  champion,
  decide,
  givenChampion,
  givenPromotable,
  givenRequest,
} from '../../testing/given-change.js';
import {
  attestationOf,
  attestedFiles,
  givenAttested,
  givenFiles,
  published,
} from '../../testing/given-attestation.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { runStatement } from '../../testing/databases.js';
import { revokeAttestation } from './index.js';
import { pseudonymOf } from './attest.js';
import { readKeys } from './proof/keys.js';
import { readRevocations } from './proof/revocations.js';
import { readAttestation, type Attested } from './proof/statement.js';
import { treeDigestOf } from './proof/tree.js';
import { createHash } from 'node:crypto';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const opened = async (envelope: string): Promise<Attested> => {
  const { keys } = await published(app);
  return readAttestation(Buffer.from(envelope), readKeys(keys));
};

const listed = async () => {
  const { keys, list } = await published(app);
  return readRevocations(list, readKeys(keys));
};

const reasonsOf = async (attestation: string): Promise<string[]> =>
  (await listed()).revoked.filter((one) => one.attestation === attestation).map(({ reason }) => reason);

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');

const countOf = async (sql: string, values: unknown[]): Promise<number> => {
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  const [row] = await app.db.transact('app_reader', session, (db) => db.sql<{ count: number }>(sql, values));
  return row?.count ?? 0;
};

const attestationsOf = (modelId: string): Promise<number> =>
  countOf('select count(*)::int as count from attestation where model_id = $1', [modelId]);

describe('an executed approval', () => {
  test('leaves a signed statement of what was approved, by whom, on which evidence, and until when', async () => {
    const { attestation, changeId, modelId, versionId, validator, compliance } = await givenAttested(app);
    const { predicate, files, keyId } = await opened(attestation.envelope);

    const digests = Object.entries(attestedFiles).map(([path, content]) => ({ path, sha256: hex(content) }));
    expect(predicate).toMatchObject({
      attestation: attestation.id,
      alias: 'champion',
      environment: 'production',
      issuer: 'https://countersign.test',
      model: { id: modelId },
      version: { id: versionId, number: 2 },
      useCase: { riskTier: 'HIGH' },
      changeRequest: { id: changeId },
      manifest: { sha256: attestation.manifestSha256 },
      policy: { revision: 0 },
      tree: { files: digests.length, sha256: treeDigestOf(digests) },
      workspace: 'main',
    });
    expect(new Map(digests.map(({ path, sha256 }) => [path, sha256]))).toEqual(files);
    expect(predicate.approvals.map(({ role, person }) => ({ role, person }))).toEqual([
      { role: 'validator', person: pseudonymOf(app.workspaceId, validator.id) },
      { role: 'compliance', person: pseudonymOf(app.workspaceId, compliance.id) },
    ]);
    expect(predicate.evidence.map(({ kind, verdict, required }) => ({ kind, verdict, required }))).toEqual(
      expect.arrayContaining([{ kind: 'FAIRNESS', verdict: 'PASS', required: true }]),
    );
    // The evidence of this test holds for 90 days, the installation's limit is 365.
    const days = (attestation.notAfter.getTime() - attestation.notBefore.getTime()) / 86_400_000;
    expect(days).toBeGreaterThan(89);
    expect(days).toBeLessThan(90.1);
    expect(keyId).toBe(attestation.keyId);
    expect(await app.trail(attestation.id)).toEqual([
      { command: 'changeRequest.decide', outcome: 'done', actorId: compliance.id },
    ]);
  });

  test('names no person: neither name, address nor id stands in what is published', async () => {
    const { attestation, engineer, validator, compliance, owner } = await givenAttested(app);
    const { keys, list } = await published(app);
    const texts = [
      Buffer.from((JSON.parse(attestation.envelope) as { payload: string }).payload, 'base64').toString(),
      keys.toString(),
      Buffer.from((JSON.parse(list.toString()) as { payload: string }).payload, 'base64').toString(),
    ];

    for (const { id, name } of [engineer, validator, compliance, owner]) {
      for (const text of texts) {
        expect(text).not.toContain(id);
        expect(text).not.toContain(`${name}@people.test`);
      }
    }
    expect(texts[0]).toContain('"role":"validator"');
  });

  test('that is not complete leaves none', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await decide(app, given.validator, id);

    expect(await attestationsOf(given.modelId)).toBe(0);
  });

  test('that is taken back by its transaction leaves none, and nothing of it is revoked', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await decide(app, given.validator, id);
    // The trail of the last decision cannot be written.
    await runStatement(
      app.databaseUrl,
      `alter table audit_event add constraint no_decision check (command <> 'changeRequest.decide' or subject_id <> '${id}') not valid`,
    );

    await expect(decide(app, given.compliance, id)).rejects.toThrow('no_decision');
    await runStatement(app.databaseUrl, 'alter table audit_event drop constraint no_decision');

    expect(await attestationsOf(given.modelId)).toBe(0);
    expect(await champion(app, given.modelId)).toBeUndefined();
    await decide(app, given.compliance, id);
    expect(await attestationsOf(given.modelId)).toBe(1);
  });

  test('of two models at the same time leaves two numbers', async () => {
    const [one, other] = [await givenPromotable(app), await givenPromotable(app)];
    const ids = [await givenRequest(app, one), await givenRequest(app, other)];
    for (const id of ids) await decide(app, one.validator, id);

    await Promise.all(ids.map((id) => decide(app, one.compliance, id)));

    const numbers = [
      (await attestationOf(app, one.versionId)).number,
      (await attestationOf(app, other.versionId)).number,
    ];
    expect(new Set(numbers).size).toBe(2);
  });
});

describe('an attestation is revoked', () => {
  test('when its alias moves on: the list grows by one, and its number with it', async () => {
    const given = await givenAttested(app);
    const before = await listed();
    expect(await reasonsOf(given.attestation.id)).toEqual([]);

    const next = await givenFiles(app, given, { 'model.bin': 'better weights' });
    await givenChampion(app, next);

    const after = await listed();
    expect(after.number).toBe(before.number + 1);
    expect(await reasonsOf(given.attestation.id)).toEqual(['SUPERSEDED']);
    expect(await reasonsOf((await attestationOf(app, next.versionId)).id)).toEqual([]);
  });

  test('when the alias is moved by any other command, whatever it is called', async () => {
    const given = await givenAttested(app);
    const next = await givenFiles(app, given, { 'model.bin': 'other weights' });
    const moveByHand = defineCommand({
      name: 'alias.moveByHand',
      describe: 'A door that somebody might build one day.',
      permission: 'alias:set',
      input: z.object({}),
      target: () => Promise.resolve({ id: newId() }),
      handle: async ({ tx, actor, now }) => {
        const { modelId, versionId, useCaseId } = next;
        const move = { modelId, versionId, useCaseId, alias: 'champion', changeRequestId: null };
        const { aliasId, audit } = await moveAlias(tx, { ...move, actorId: actor.id, now });
        return { result: { id: aliasId }, audit };
      },
    });

    await app.run(moveByHand, given.engineer, {});

    expect(await reasonsOf(given.attestation.id)).toEqual(['SUPERSEDED']);
    expect(await attestationsOf(given.modelId)).toBe(1);
  });

  test('for good: going back to the version by a new request leaves a new one, and the old one stays revoked', async () => {
    const given = await givenAttested(app);
    await givenChampion(app, await givenFiles(app, given, { 'model.bin': 'better weights' }));
    await givenChampion(app, given);

    const newest = await attestationOf(app, given.versionId);
    expect(newest.id).not.toBe(given.attestation.id);
    expect(newest.treeSha256).toBe(given.attestation.treeSha256);
    expect(await reasonsOf(newest.id)).toEqual([]);
    expect(await reasonsOf(given.attestation.id)).toEqual(['SUPERSEDED']);
  });

  test('when its version is deleted after the alias was set free', async () => {
    const given = await givenAttested(app);
    const next = await givenFiles(app, given, { 'model.bin': 'next' });
    await runStatement(
      app.databaseUrl,
      `select audited_repair('a test'); delete from model_alias where version_id = '${given.versionId}'`,
    );

    await app.run(deleteModelVersion, given.engineer, { versionId: given.versionId });

    expect(await reasonsOf(given.attestation.id)).toEqual(['VERSION_DELETED']);
    expect(next.modelId).toBe(given.modelId);
  });

  test('while its endpoint is suspended, and no longer', async () => {
    const given = await givenAttested(app);
    const { modelId, useCaseId, owner } = given;
    const door = { slug: 'gate-door', name: 'Door', modelId, useCaseId, alias: 'Champion' };
    const { id: endpointId } = await app.run(createEndpoint, owner, door);
    const other = await givenAttested(app);
    const before = (await listed()).number;

    await app.run(suspendEndpoint, owner, { endpointId, reason: 'odd answers' });
    expect(await reasonsOf(given.attestation.id)).toEqual(['ENDPOINT_SUSPENDED']);
    expect(await reasonsOf(other.attestation.id)).toEqual([]);

    const { id: changeRequestId } = await app.run(requestEndpointResume, given.engineer, {
      endpointId,
      reason: 'repaired',
    });
    await app.run(decideChange, given.compliance, { changeRequestId, verdict: 'APPROVE', reason: 'yes' });
    await app.drainJobs();
    expect(await reasonsOf(given.attestation.id)).toEqual([]);
    expect((await listed()).number).toBe(before + 2);
    const { revocations } = await attestationOf(app, given.versionId);
    expect(revocations).toMatchObject([
      { reason: 'ENDPOINT_SUSPENDED', liftedAt: expect.any(String) as string },
    ]);
  });

  test(
    'by a suspension that meets a promotion: whoever comes first, the new one is on hold',
    { timeout: 120_000 },
    async () => {
      for (let round = 0; round < 5; round += 1) {
        const given = await givenAttested(app, { 'model.bin': `weights ${String(round)}` });
        const { modelId, useCaseId, owner } = given;
        const door = { slug: `race-${String(round)}`, name: 'Door', modelId, useCaseId, alias: 'champion' };
        const { id: endpointId } = await app.run(createEndpoint, owner, door);
        const next = await givenFiles(app, given, { 'model.bin': `other weights ${String(round)}` });
        const changeId = await givenRequest(app, next);
        await decide(app, next.validator, changeId);

        await Promise.all([
          decide(app, next.compliance, changeId),
          app.run(suspendEndpoint, owner, { endpointId, reason: 'odd answers' }),
        ]);

        expect(await reasonsOf((await attestationOf(app, next.versionId)).id)).toEqual([
          'ENDPOINT_SUSPENDED',
        ]);
        expect(await reasonsOf(given.attestation.id)).toContain('SUPERSEDED');
      }
    },
  );

  test('by a person with a reason, for good; the reason is not published', async () => {
    const given = await givenAttested(app);
    const document = `mutation ($input: AttestationRevokeInput!) { revokeAttestation(input: $input) { id } }`;
    const input = { attestationId: given.attestation.id, reason: 'Eve Engineer mixed up the data' };

    expect((await app.graphql(given.engineer, document, { input })).code).toBe('FORBIDDEN');
    expect((await app.graphql(given.compliance, document, { input })).errors).toEqual([]);
    const again = await app.graphql(given.compliance, document, { input });

    expect(again.errors[0]?.extensions?.['details']).toMatchObject({ rule: 'attestation-revoked' });
    expect(await reasonsOf(given.attestation.id)).toEqual(['REVOKED']);
    const { list } = await published(app);
    expect(
      Buffer.from((JSON.parse(list.toString()) as { payload: string }).payload, 'base64').toString(),
    ).not.toContain('Eve');
  });
});

test('attestations are found by number, version and alias, and listed page by page, never across workspaces', async () => {
  const given = await givenAttested(app);
  const { number, id } = given.attestation;
  const byNumber = await app.graphql(
    given.engineer,
    `{ attestation(number: ${String(number)}) { id state version } }`,
  );
  expect(byNumber.data).toEqual({ attestation: { id, state: 'VALID', version: 2 } });

  const document = `query ($first: Int!, $after: String) { attestations(first: $first, after: $after, alias: "CHAMPION") {
    nodes { number } pageInfo { hasNextPage endCursor } } }`;
  const seen: number[] = [];
  let after: string | null = null;
  do {
    const {
      data,
    }: {
      data: {
        attestations: { nodes: { number: number }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
      } | null;
    } = await app.graphql(given.engineer, document, { first: 3, after });
    seen.push(...(data?.attestations.nodes ?? []).map((node) => node.number));
    after = data?.attestations.pageInfo.hasNextPage ? data.attestations.pageInfo.endCursor : null;
  } while (after !== null);
  expect(seen).toEqual([...seen].sort((one, other) => other - one));
  expect(seen[0]).toBe(number);
  expect(new Set(seen).size).toBe(seen.length);

  const workspaceId = await app.otherWorkspace();
  const stranger = await app.actor('auditor', { name: 'stranger', workspaceId });
  expect((await app.graphql(stranger, `{ attestation(id: "${id}") { id } }`)).code).toBe('NOT_FOUND');
  expect((await app.graphql(stranger, document, { first: 3 })).data).toMatchObject({
    attestations: { nodes: [] },
  });
});

describe('an emergency', () => {
  const reason = 'The champion answers nonsense since noon, people are being refused';

  test('leaves an attestation that says so; one that people approved has no such mark', async () => {
    const given = await givenAttested(app);
    const { versionId, useCaseId, ...next } = await givenFiles(app, given, { 'model.bin': 'mended' });
    const { incidentId } = await app.run(breakGlass, next.owner, {
      ...{ versionId, useCaseId, alias: 'champion', reason },
    });

    const { predicate } = await opened((await attestationOf(app, versionId)).envelope);

    expect(predicate.approvals).toEqual([]);
    expect(predicate.breakGlass).toEqual({
      incident: incidentId,
      reason,
      reviewDueAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
    expect((await opened(given.attestation.envelope)).predicate).not.toHaveProperty('breakGlass');
  });

  test('that was not justified is taken back by the command that the finding names', async () => {
    const given = await givenFiles(app, await givenPromotable(app, { bare: true }), { 'model.bin': 'x' });
    const { versionId, useCaseId, owner, compliance } = given;
    const { incidentId } = await app.run(breakGlass, owner, {
      ...{ versionId, useCaseId, alias: 'champion', reason },
    });
    const review = { incidentId, verdict: 'UNJUSTIFIED', review: 'Somebody was there' } as const;
    await app.run(reviewIncident, compliance, review);
    const { id } = await attestationOf(app, versionId);

    expect(await reasonsOf(id)).toEqual([]);
    await app.run(revokeAttestation, compliance, { attestationId: id, reason: 'Not justified' });
    expect(await reasonsOf(id)).toEqual(['REVOKED']);
  });
});
