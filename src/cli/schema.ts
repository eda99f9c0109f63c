import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { resolvers } from '../app.js';
import { createSchema } from '../graphql/schema.js';
import { installationRoot } from '../kernel/root.js';
import { CliError } from './fault.js';

/** Prints the public API as the code has it; with `--check` compares it with the file that is committed. */
export const runSchema = async (args: readonly string[]): Promise<void> => {
  const text = `${printSchema(lexicographicSortSchema(await createSchema(resolvers)))}\n`;
  if (!args.includes('--check')) {
    process.stdout.write(text);
    return;
  }
  const path = join(installationRoot, 'schema', 'schema.graphql');
  const written = await readFile(path, 'utf8').catch(() => '');
  if (written !== text)
    throw new CliError('schema/schema.graphql is not what the code says; run `npm run schema`');
};
