import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ctx, Field, Float, ID, Int, ObjectType, Resolver } from 'type-graphql';
import { z } from 'zod';
import type { Context } from '../../src/graphql/context.js';
import { QueryArgs, QueryField, type InputOf } from '../../src/graphql/fields.js';
import { pageType } from '../../src/graphql/page-type.js';
import { createSchema } from '../../src/graphql/schema.js';
import { graphqlDoor } from '../../src/graphql/server.js';
import { openHttpServer } from '../../src/http/server.js';
import { openAccess } from '../../src/kernel/access.js';
import type { UserActor } from '../../src/kernel/actor.js';
import { systemClock } from '../../src/kernel/clock.js';
import { commandRunner, type Machine } from '../../src/kernel/command.js';
import type { Db, Tx } from '../../src/kernel/db.js';
import { newId } from '../../src/kernel/id.js';
import { openSigner } from '../../src/kernel/signer.js';
import { openKeyring } from '../../src/kernel/keyring.js';
import { openLog } from '../../src/kernel/log.js';
import { openMetrics } from '../../src/kernel/metrics.js';
import { pageInput, pageOf, readCursor, type Page } from '../../src/kernel/page.js';
import { noModelServers } from '../../src/kernel/model-server.js';
import type { Outside } from '../../src/kernel/ports.js';
import { defineQuery, queryRunner } from '../../src/kernel/query.js';
import { recordRunner } from '../../src/kernel/record.js';
import { installationRoot } from '../../src/kernel/root.js';
import { document, rows, type Row } from './rows.js';

const listItems = defineQuery({
  name: 'useCase.list',
  describe: 'The rows of the benchmark.',
  permission: 'useCase:read',
  input: z.object({ ...pageInput }),
  handle: ({ input }): Promise<Page<Row>> => {
    readCursor(input.after);
    const found = rows.slice(0, input.first + 1);
    return Promise.resolve(
      pageOf(
        found,
        input,
        (row) => [row.id],
        (row) => row,
      ),
    );
  },
});

@ObjectType('Item')
class ItemType {
  @Field(() => ID)
  readonly id: string = '';

  @Field(() => String)
  readonly slug: string = '';

  @Field(() => String)
  readonly name: string = '';

  @Field(() => String)
  readonly purpose: string = '';

  @Field(() => String)
  readonly owner: string = '';

  @Field(() => String)
  readonly riskTier: string = '';

  @Field(() => Int)
  readonly versions: number = 0;

  @Field(() => Float)
  readonly score: number = 0;

  @Field(() => Boolean)
  readonly active: boolean = false;

  @Field(() => String)
  readonly createdAt: string = '';
}

const ItemPage = pageType('Item', ItemType);

@Resolver()
class ItemsResolver {
  @QueryField(listItems, () => ItemPage)
  items(
    @QueryArgs(listItems) args: InputOf<typeof listItems>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<Row>> {
    return ask(listItems, actor, args);
  }
}

/** A scope without a database: the rows are in memory, as those of the peers. */
const memory: Db = {
  transact: (_role, _session, work) => work({} as Tx),
  lookUp: () => Promise.resolve([]),
  ping: () => Promise.resolve(),
  usage: () => [],
  close: () => Promise.resolve(),
};

const actor: UserActor = {
  kind: 'user',
  id: newId(),
  name: 'bench',
  roles: ['engineer'],
  organizationId: newId(),
  workspaceId: newId(),
  authenticatedAt: new Date(),
  sessionId: newId(),
  tokenId: null,
  scopes: null,
};

const nowhere: Outside = {
  modelServers: noModelServers,
  get artifacts(): never {
    throw new Error('The benchmark stores nothing');
  },
  get chat(): never {
    throw new Error('The benchmark tells nobody');
  },
  get slack(): never {
    throw new Error('The benchmark tells nobody');
  },
  get compute(): never {
    throw new Error('The benchmark computes nothing');
  },
  get mail(): never {
    throw new Error('The benchmark writes to nobody');
  },
  get webhooks(): never {
    throw new Error('The benchmark calls nobody');
  },
  publicUrl: 'http://localhost',
};

/** The schema of the benchmark, for the peers too. */
export const itemsSchema = () => createSchema([ItemsResolver]);

/** Our server with its real doors: limits, authorization by the compiled policy, metrics. */
export const startCountersign = async (): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  const metrics = openMetrics();
  const machine: Machine = {
    db: memory,
    access: await openAccess(join(installationRoot, 'policies')),
    clock: systemClock,
    keyring: await openKeyring(join(folder, 'keyring.json'), { createIfMissing: true }),
    signer: await openSigner(join(folder, 'signing-keys.json'), {
      createIfMissing: true,
      issuer: 'https://countersign.test',
    }),
    consequences: [],
    reactions: [],
    observe: metrics.observe,
  };
  const sha256 = createHash('sha256').update(document).digest('hex');
  const door = graphqlDoor({
    schema: await itemsSchema(),
    development: false,
    adHoc: 'everybody',
    findDocument: (_ask, _actor, asked) => (asked === sha256 ? document : Promise.resolve(null)),
  });
  const server = await openHttpServer({
    app: {
      db: memory,
      access: machine.access,
      run: commandRunner(machine),
      ask: queryRunner(machine),
      record: recordRunner(machine),
      log: openLog({ level: 'warn' }),
      metrics,
    },
    config: {
      host: '127.0.0.1',
      port: 0,
      url: 'http://localhost:4000',
      artifactMaxBytes: 1,
      trustedProxies: null,
    },
    outside: nowhere,
    authenticate: () => Promise.resolve(actor),
    limits: { perMinute: 1_000_000_000 },
    routes: [],
    doors: [door],
  });
  return server.port;
};
