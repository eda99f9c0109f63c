import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { z } from 'zod';
import { openAccess, type Access } from '../kernel/access.js';
import { systemActor, type UserActor } from '../kernel/actor.js';
import { commandRunner, defineCommand, type Machine, type RunCommand } from '../kernel/command.js';
import { openDb, type Db, type Tx } from '../kernel/db.js';
import { notFound } from '../kernel/errors.js';
import { newId } from '../kernel/id.js';
import type { Reaction } from '../kernel/job.js';
import type { Consequence } from '../kernel/consequence.js';
import { openSigner } from '../kernel/signer.js';
import { openKeyring } from '../kernel/keyring.js';
import { queryRunner, type AskQuery } from '../kernel/query.js';
import { recordRunner, type RunRecord } from '../kernel/record.js';
import { installationRoot } from '../kernel/root.js';
import { asSystem } from '../kernel/system.js';
import { atEnd } from './at-end.js';
import { movableClock, type MovableClock } from './clock.js';
import { cloneDatabase, runStatement } from './databases.js';
import { Thing } from './thing.entity.js';

export type { Thing } from './thing.entity.js';

const tables = `
create table thing (id uuid primary key, workspace_id uuid not null, size integer not null check (size >= 0));
select govern('thing');
create table reading (id uuid primary key, workspace_id uuid not null, value integer not null);
select telemetry('reading');
`;

/** What was observed of a run. */
export interface Observed {
  readonly kind: string;
  readonly name: string;
  readonly outcome: string;
}

/** One line of the trail with what was hashed. */
export interface Trace {
  readonly command: string;
  readonly outcome: string;
  readonly body: Record<string, unknown>;
}

/** The kernel alone, on a database of its own with a governed table and one for telemetry. */
export interface Kernel extends Machine {
  readonly run: RunCommand;
  readonly ask: AskQuery;
  readonly record: RunRecord;
  readonly clock: MovableClock;
  readonly databaseUrl: string;
  readonly observed: Observed[];
  readonly workspaceId: string;
  readonly organizationId: string;
  actor(role: UserActor['roles'][number], workspaceId?: string): UserActor;
  /** A governed row, made by a command. */
  thing(size?: number): Promise<string>;
  sizeOf(id: string): Promise<number | undefined>;
  trail(subjectId: string): Promise<Trace[]>;
  /** Looks at everything, as the machinery does. */
  rows(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Changes what only the owner of the tables may. */
  asOwner(statement: string): Promise<void>;
}

/** The target of commands on things. */
export const lockThing = async (tx: Tx, input: { id: string }): Promise<Thing> => {
  const thing = await tx.lock(Thing, { id: input.id });
  if (!thing) throw notFound('The thing');
  return thing;
};

const createThing = defineCommand({
  name: 'thing.create',
  describe: 'Makes a thing.',
  permission: 'useCase:create',
  input: z.object({ size: z.int() }),
  target: () => Promise.resolve(null),
  handle: async ({ tx, actor, input }) => {
    const id = newId();
    await tx.insert(Thing, { id, workspaceId: actor.workspaceId ?? '', size: input.size });
    return { result: { id }, audit: { subject: { kind: 'thing', id } } };
  },
});

/** Changes the size of a thing: the plainest governed change there is. */
export const resizeThing = defineCommand({
  name: 'thing.resize',
  describe: 'Changes the size of a thing.',
  permission: 'useCase:update',
  input: z.object({ id: z.uuid(), size: z.int().min(0) }),
  target: lockThing,
  handle: async ({ tx, input, target }) => {
    await tx.update(Thing, { id: target.id }, { size: input.size });
    return {
      result: { size: input.size },
      audit: {
        subject: { kind: 'thing', id: target.id },
        changes: { size: { from: target.size, to: input.size } },
      },
    };
  },
});

/** Opens the kernel for a test file; it is closed and its database dropped when the file is done. */
export const openKernel = async (
  reactions: readonly Reaction[] = [],
  consequences: readonly Consequence[] = [],
): Promise<Kernel> => {
  const database = await cloneDatabase(inject('databaseServer'));
  await runStatement(database.url, tables);
  const folder = await mkdtemp(join(tmpdir(), 'countersign-kernel-'));
  const keyring = await openKeyring(join(folder, 'keyring.json'), { createIfMissing: true });
  const signer = await openSigner(join(folder, 'signing-keys.json'), {
    createIfMissing: true,
    issuer: 'https://countersign.test',
  });
  const access: Access = await openAccess(join(installationRoot, 'policies'));
  const db: Db = await openDb({
    url: database.url,
    entities: [Thing],
    poolSize: { app_writer: 4, app_reader: 4, app_system: 4 },
    statementTimeoutMs: 10_000,
    name: 'kernel-test',
    onError: () => undefined,
  });
  atEnd(async () => {
    await db.close();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });
  const observed: Observed[] = [];
  const machine = {
    db,
    access,
    keyring,
    signer,
    consequences,
    reactions,
    clock: movableClock(),
    observe: (kind: string, name: string, outcome: string) => {
      observed.push({ kind, name, outcome });
    },
  };
  return assemble(machine, database.url, observed);
};

const assemble = (
  machine: Machine & { clock: MovableClock },
  databaseUrl: string,
  observed: Observed[],
): Kernel => {
  const scope = { organizationId: newId(), workspaceId: newId() };
  const run = commandRunner(machine);
  const rows: Kernel['rows'] = (sql, values) => asSystem(machine.db, (tx) => tx.sql(sql, values ?? []));
  const setup = systemActor('setup', scope);
  const actor: Kernel['actor'] = (role, workspaceId = scope.workspaceId) => ({
    kind: 'user',
    id: newId(),
    name: role,
    roles: [role],
    organizationId: scope.organizationId,
    workspaceId,
    authenticatedAt: new Date(),
    sessionId: null,
    tokenId: null,
    scopes: null,
  });
  return {
    ...machine,
    ...scope,
    run,
    ask: queryRunner(machine),
    record: recordRunner(machine),
    databaseUrl,
    observed,
    actor,
    rows,
    thing: async (size = 1) => (await run(createThing, actor('owner'), { size })).id,
    sizeOf: (id) =>
      machine.db.transact('app_reader', { ...setup, commandId: null }, async (tx) => {
        const [row] = await tx.sql<{ size: number }>('select size from thing where id = $1', [id]);
        return row?.size;
      }),
    trail: async (subjectId) => {
      const found = await rows(
        `select command, outcome, convert_from(canonical, 'utf8')::jsonb as body from audit_event
          where subject_id = $1 order by id`,
        [subjectId],
      );
      return found as unknown as Trace[];
    },
    asOwner: (statement) => runStatement(databaseUrl, statement),
  };
};
