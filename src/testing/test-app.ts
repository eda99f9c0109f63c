import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DocumentNode, ExecutionResult } from 'graphql';
import { inject } from 'vitest';
import { openApp, type App } from '../app.js';
import type { Role, ServiceActor, SystemActor, UserActor, Actor } from '../kernel/actor.js';
import { systemActor } from '../kernel/actor.js';
import { newId } from '../kernel/id.js';
import type { ModelServers } from '../kernel/model-server.js';
import { openKeyring } from '../kernel/keyring.js';
import { openSigner } from '../kernel/signer.js';
import { openLog } from '../kernel/log.js';
import type { Permission } from '../kernel/permissions.js';
import { asSystem } from '../kernel/system.js';
import { enrolPerson } from '../features/identity/index.js';
import {
  createOrganization,
  createWorkspace,
  type StartingPolicyName,
} from '../features/workspaces/index.js';
import { atEnd } from './at-end.js';
import { cloneDatabase } from './databases.js';
import { movableClock, type MovableClock } from './clock.js';
import { graphqlOver, type GraphqlCall } from './graphql.js';
import { drainJobs, type DrainOptions, type Drained } from './jobs.js';
import { openTestOutside, type TestOutside } from './outside.js';

/** One line of the trail, as tests compare it. */
export interface TrailLine {
  readonly command: string;
  readonly outcome: string;
  readonly actorId: string;
}

/** The whole application on a database of its own, with what tests need around it. */
export interface TestApp extends App {
  readonly clock: MovableClock;
  readonly databaseUrl: string;
  readonly folder: string;
  readonly outside: TestOutside;
  readonly organizationId: string;
  readonly workspaceId: string;
  /** A person of the workspace with this role, enrolled once per name. */
  actor(role: Role, options?: ActorOptions): Promise<UserActor>;
  /** A machine's actor; it has no row of its own. */
  service(options?: { scopes?: Permission[]; workspaceId?: string }): ServiceActor;
  system(id?: 'setup' | `job:${string}`): SystemActor;
  /** Another workspace of the same organization. */
  otherWorkspace(): Promise<string>;
  graphql: GraphqlCall;
  /** Performs what waits in the outbox, and what that causes, in this process. */
  drainJobs(options?: DrainOptions): Promise<Drained>;
  /** What the trail says of a subject, oldest first. */
  trail(subjectId: string): Promise<TrailLine[]>;
}

/** Who the actor is. */
export interface ActorOptions {
  readonly name?: string;
  readonly workspaceId?: string;
  readonly roles?: readonly Role[];
}

const issuer = 'https://people.test';

/** How a test's workspaces are. */
export interface TestAppOptions {
  /** Whose rules they start with; those that stand in the way unless a test says otherwise. */
  readonly startingPolicy?: StartingPolicyName;
  /** Servers of MLflow that the installation knows. */
  readonly modelServers?: ModelServers;
}

/** Opens the application for a test file; it is closed and its database dropped when the file is done. */
export const testApp = async (options: TestAppOptions = {}): Promise<TestApp> => {
  const database = await cloneDatabase(inject('databaseServer'));
  const folder = await mkdtemp(join(tmpdir(), 'countersign-app-'));
  const log = openLog({ level: 'silent' });
  const clock = movableClock();
  const keyring = await openKeyring(join(folder, 'keyring.json'), { createIfMissing: true });
  const signer = await openSigner(join(folder, 'signing-keys.json'), {
    createIfMissing: true,
    issuer: 'https://countersign.test',
  });
  const poolSize = { app_writer: 6, app_reader: 6, app_system: 4 };
  const app = await openApp({
    databaseUrl: database.url,
    keyring,
    signer,
    log,
    clock,
    name: 'test',
    poolSize,
    hasUpstream: Boolean(options.modelServers?.front),
  });
  const outside = await openTestOutside(folder, options.modelServers);
  atEnd(async () => {
    await outside.close();
    await app.close();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });
  const around = { clock, databaseUrl: database.url, folder, outside };
  return assemble(app, around, options.startingPolicy ?? 'enforced');
};

type Surroundings = Pick<TestApp, 'clock' | 'databaseUrl' | 'folder' | 'outside'>;

const assemble = async (
  app: App,
  around: Surroundings,
  startingPolicy: StartingPolicyName,
): Promise<TestApp> => {
  const setup = systemActor('setup');
  const organization = await app.run(createOrganization, setup, { slug: 'acme', name: 'Acme' });
  const founder = systemActor('setup', { organizationId: organization.id });
  const workspace = await app.run(createWorkspace, founder, {
    slug: 'main',
    name: 'Main',
    startingPolicy,
  });
  const scope = { organizationId: organization.id, workspaceId: workspace.id };
  const enrolled = new Map<string, UserActor>();
  let others = 0;

  const enrol = async (name: string, workspaceId: string, roles: readonly Role[]): Promise<UserActor> => {
    const memberships = [{ workspaceId, roles: [...roles] }];
    const person = { issuer, subject: name, displayName: name, email: `${name}@people.test`, memberships };
    const { id } = await app.run(enrolPerson, setup, person);
    return {
      kind: 'user',
      id,
      name,
      roles,
      workspaceId,
      organizationId: organization.id,
      authenticatedAt: app.clock.now(),
      sessionId: null,
      tokenId: null,
      scopes: null,
    };
  };

  return {
    ...app,
    ...around,
    ...scope,
    actor: async (role, options = {}) => {
      const name = options.name ?? role;
      const workspaceId = options.workspaceId ?? workspace.id;
      const key = `${name}@${workspaceId}`;
      const actor = enrolled.get(key) ?? (await enrol(name, workspaceId, options.roles ?? [role]));
      enrolled.set(key, actor);
      return actor;
    },
    service: (options = {}) => ({
      kind: 'service',
      id: newId(),
      name: 'tool',
      roles: ['service'],
      organizationId: organization.id,
      workspaceId: options.workspaceId ?? workspace.id,
      tokenId: newId(),
      scopes: options.scopes ?? null,
    }),
    system: (id = 'setup') => systemActor(id, scope),
    otherWorkspace: async () => {
      others += 1;
      const { id } = await app.run(createWorkspace, founder, {
        slug: `other-${String(others)}`,
        name: 'Other',
        startingPolicy,
      });
      return id;
    },
    graphql: graphqlOver(app),
    drainJobs: (options) => drainJobs({ ...app, outside: around.outside }, options),
    trail: (subjectId) => trailOf(app, subjectId),
  };
};

const trailOf = (app: App, subjectId: string): Promise<TrailLine[]> =>
  asSystem(app.db, (tx) =>
    tx.sql<TrailLine>(
      `select command, outcome, actor_id as "actorId" from audit_event where subject_id = $1 order by id`,
      [subjectId],
    ),
  );

export type { Actor, DocumentNode, ExecutionResult };
