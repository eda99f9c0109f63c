import type { TestProject } from 'vitest/node';
import { makeTemporaryHome, startPostgres } from '../embedded/postgres/index.js';
import { migrate } from '../kernel/db.js';
import { migrateQueue } from '../worker/migrate-queue.js';
import { migrations } from '../../migrations/index.js';
import { runStatement, templateName } from './databases.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server of this test run, as a superuser. */
    readonly databaseServer: string;
  }
}

let undo = (): Promise<void> => Promise.resolve();

/** Starts one PostgreSQL for the test run and migrates the template that each test file clones. */
export const setup = async (project: TestProject): Promise<void> => {
  const home = await makeTemporaryHome('countersign-test');
  const server = await startPostgres({
    home: home.path,
    profile: 'test',
    stopOnExit: true,
    log: () => undefined,
  });
  await runStatement(server.superuserUrl, `create database ${templateName}`);
  const template = new URL(server.superuserUrl);
  template.pathname = `/${templateName}`;
  await migrate(template.href, migrations);
  await migrateQueue(template.href);
  project.provide('databaseServer', server.superuserUrl);
  undo = async () => {
    await server.stop();
    await home.remove();
  };
};

/** Stops the server of the run and removes its data. */
export const teardown = (): Promise<void> => undo();
