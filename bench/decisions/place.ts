import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { openApp, type App } from '../../src/app.js';
import { createEndpoint } from '../../src/features/deployments/index.js';
import { createApiToken, createServiceAccount, enrolPerson } from '../../src/features/identity/index.js';
import {
  createModel,
  createModelVersion,
  recordArtifact,
  submitModelVersion,
} from '../../src/features/registry/index.js';
import { createUseCase } from '../../src/features/usecases/index.js';
import { createOrganization, createWorkspace } from '../../src/features/workspaces/index.js';
import { openFileStore } from '../../src/integrations/artifact-store.file.js';
import { systemActor, type Role, type UserActor } from '../../src/kernel/actor.js';
import { openSigner } from '../../src/kernel/signer.js';
import { openKeyring } from '../../src/kernel/keyring.js';
import { openLog } from '../../src/kernel/log.js';
import { installationRoot } from '../../src/kernel/root.js';

/** Where the benchmark lives: a database, a folder, an endpoint and a token. */
export interface Place {
  readonly databaseUrl: string;
  readonly home: string;
  readonly endpoint: string;
  readonly token: string;
  readonly versionId: string;
  readonly modelId: string;
  readonly useCaseId: string;
  readonly workspaceId: string;
}

const version = '1.0.0';

/** Sets up a workspace with the reference ensemble, submitted to intake, and a service account with a token. */
export const setUp = async (databaseUrl: string, home: string): Promise<Place> => {
  const keyring = await openKeyring(join(home, 'keyring.json'), { createIfMissing: true });
  const signer = await openSigner(join(home, 'signing-keys.json'), {
    createIfMissing: true,
    issuer: 'https://countersign.test',
  });
  const poolSize = { app_writer: 2, app_reader: 2, app_system: 2 };
  const app = await openApp({
    databaseUrl,
    keyring,
    signer,
    log: openLog({ level: 'silent' }),
    name: 'bench-setup',
    poolSize,
  });
  try {
    return await fill(app, databaseUrl, home);
  } finally {
    await app.close();
  }
};

const fill = async (app: App, databaseUrl: string, home: string): Promise<Place> => {
  const setup = systemActor('setup');
  const organization = await app.run(createOrganization, setup, { slug: 'bench', name: 'Bench' });
  const founder = systemActor('setup', { organizationId: organization.id });
  const workspace = await app.run(createWorkspace, founder, { slug: 'bench', name: 'Bench' });
  const scope = { organizationId: organization.id, workspaceId: workspace.id };
  const person = async (role: Role): Promise<UserActor> => {
    const memberships = [{ workspaceId: workspace.id, roles: [role] }];
    const about = {
      issuer: 'https://bench.test',
      subject: role,
      displayName: role,
      email: null,
      memberships,
    };
    const { id } = await app.run(enrolPerson, setup, about);
    const rest = { authenticatedAt: new Date(), sessionId: null, tokenId: null, scopes: null };
    return { kind: 'user', id, name: role, roles: [role], ...scope, ...rest };
  };
  const [engineer, owner, administrator] = [
    await person('engineer'),
    await person('owner'),
    await person('administrator'),
  ];
  const useCase = await app.run(createUseCase, owner, {
    slug: 'income-verification',
    name: 'Income verification',
    purpose: 'Route the verification of stated incomes',
    peopleAffected: 'Applicants',
    riskTier: 'HIGH',
  });
  const model = await app.run(createModel, engineer, { name: 'income-routing', kind: 'ONNX' });
  const { id: versionId } = await app.run(createModelVersion, engineer, { modelId: model.id });
  await upload(app, engineer, versionId, home);
  await app.run(submitModelVersion, engineer, { versionId });
  const endpoint = 'income-routing';
  await app.run(createEndpoint, owner, {
    slug: endpoint,
    name: 'Income routing',
    useCaseId: useCase.id,
    modelId: model.id,
    alias: 'champion',
  });
  const account = await app.run(createServiceAccount, administrator, { name: 'bench' });
  const token = await app.run(createApiToken, administrator, { serviceAccountId: account.id, name: 'bench' });
  const ids = { versionId, modelId: model.id, useCaseId: useCase.id, workspaceId: workspace.id };
  return { databaseUrl, home, endpoint, token: token.secret, ...ids };
};

const upload = async (app: App, engineer: UserActor, versionId: string, home: string): Promise<void> => {
  const store = await openFileStore(join(home, 'artifacts'));
  const folder = join(installationRoot, 'models', 'income-routing', version);
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as {
    members: { file: string }[];
  };
  for (const path of [
    'manifest.json',
    'background.csv',
    'golden.json',
    ...manifest.members.map(({ file }) => file),
  ]) {
    const content = await readFile(join(folder, path));
    const once = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(content);
    };
    const stored = await store.put(once(), { maxBytes: 1e9 });
    await app.run(recordArtifact, engineer, {
      versionId,
      path,
      mediaType: 'application/octet-stream',
      ...stored,
    });
  }
};

/**
 * Makes the version the champion once intake is through. How people approve is not what is measured here, so the
 * request and the alias are written as a repair of the schema's owner, which says so in the trail.
 */
export const promote = async (superuserUrl: string, place: Place, withinMs: number): Promise<void> => {
  const client = new Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    const until = Date.now() + withinMs;
    for (;;) {
      const { rows } = await client.query<{ state: string; state_message: string }>(
        'select state, state_message from model_version where id = $1',
        [place.versionId],
      );
      if (rows[0]?.state === 'READY') break;
      if (rows[0]?.state === 'REJECTED')
        throw new Error(`Intake refused the version: ${rows[0].state_message}`);
      if (Date.now() > until) throw new Error('Intake did not end in time');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await client.query('begin');
    await client.query(`select audited_repair('champion of the benchmark')`);
    await client.query(
      `with request as (
         insert into change_request (id, workspace_id, number, kind, title, reason, state, target_key, model_id,
                                     version_id, alias, use_case_id, manifest, manifest_sha256, requested_by,
                                     created_at, expires_at, approved_at, closed_by, closed_at, executed_at)
         values (gen_random_uuid(), $1, 1, 'ALIAS', 'Champion of the benchmark', 'Benchmark', 'EXECUTED',
                 format('alias:%s:champion', $2::uuid), $2, $3, 'champion', $4, '{}', repeat('0', 64), 'bench',
                 now(), now(), now(), 'bench', now(), now())
         returning id)
       insert into model_alias (id, workspace_id, model_id, name, folded, version_id, use_case_id, change_request_id,
                                moved_at, moved_by)
       select gen_random_uuid(), $1, $2, 'champion', 'champion', $3, $4, id, now(), 'bench' from request`,
      [place.workspaceId, place.modelId, place.versionId, place.useCaseId],
    );
    await client.query('commit');
  } finally {
    await client.end();
  }
};
