import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { expect, inject, test } from 'vitest';
import { migrations } from '../../../migrations/index.js';
import { migrate } from '../../kernel/db.js';
import { atEnd } from '../../testing/at-end.js';
import { runStatement } from '../../testing/databases.js';

const name = `older_${randomBytes(6).toString('hex')}`;

test('members of an older installation get handles, also when its owner is no superuser', async () => {
  const server = inject('databaseServer');
  await runStatement(
    server,
    `create role ${name} login createrole password 'x'; grant app_writer, app_reader, app_system, app_queue to ${name} with admin option`,
  );
  await runStatement(server, `create database ${name} owner ${name}`);
  atEnd(async () => {
    await runStatement(server, `drop database ${name} with (force)`);
    await runStatement(server, `drop role ${name}`);
  });
  const superuser = new URL(server);
  superuser.pathname = `/${name}`;
  const owner = new URL(superuser);
  owner.username = name;
  owner.password = 'x';
  const first = migrations.findIndex((one) => one.name.startsWith('Comments'));
  await migrate(owner.href, migrations.slice(0, first));
  const id = (last: number): string => `00000000-0000-7000-8000-00000000000${String(last)}`;
  await runStatement(
    superuser.href,
    `set session_replication_role = replica;
     insert into organization (id, slug, name) values ('${id(1)}', 'o', 'O');
     insert into workspace (id, organization_id, slug, name) values ('${id(2)}', '${id(1)}', 'w', 'W');
     insert into app_user (id, issuer, subject, display_name) values
       ('${id(3)}', 'i', 'a', 'Ada Łovelace'), ('${id(4)}', 'i', 'b', 'Ada Łovelace'), ('${id(5)}', 'i', 'c', '王 Ñandú Žižek');
     insert into member (id, workspace_id, user_id, roles) select id, '${id(2)}', id, '{}' from app_user;`,
  );

  const applied = await migrate(owner.href, migrations);

  expect(applied).toHaveLength(migrations.length - first);
  const client = new Client({ connectionString: superuser.href });
  await client.connect();
  const { rows } = await client.query(
    `select handle, (select relforcerowsecurity from pg_class where oid = 'member'::regclass) as forced,
            (select tgenabled from pg_trigger where tgname = 'audited' and tgrelid = 'member'::regclass) as audited
       from member order by id`,
  );
  await client.end();
  expect(rows).toEqual([
    { handle: 'ada-lovelace', forced: true, audited: 'O' },
    { handle: 'ada-lovelace-2', forced: true, audited: 'O' },
    { handle: 'nandu-zizek', forced: true, audited: 'O' },
  ]);
});
