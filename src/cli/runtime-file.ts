import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const shape = z.object({
  pid: z.int(),
  url: z.url(),
  databaseUrl: z.string(),
  environment: z.record(z.string(), z.string()),
});

/** What a running `countersign dev` leaves in its home for the other commands; readable by its owner alone. */
export type Runtime = z.output<typeof shape>;

const pathOf = (home: string): string => join(home, 'runtime.json');

/** Notes what runs. */
export const writeRuntime = async (home: string, runtime: Runtime): Promise<void> => {
  const temporary = `${pathOf(home)}.${String(process.pid)}`;
  await writeFile(temporary, JSON.stringify(runtime), { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, pathOf(home));
};

/** What runs with this home; null when nothing does. What a killed process left behind does not count. */
export const readRuntime = async (home: string): Promise<Runtime | null> => {
  const text = await readFile(pathOf(home), 'utf8').catch(() => null);
  if (text === null) return null;
  const runtime = shape.safeParse(parse(text)).data;
  return runtime && isAlive(runtime.pid) ? runtime : null;
};

/** Takes the note away at the end. */
export const removeRuntime = (home: string): Promise<void> => rm(pathOf(home), { force: true });

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Alive, but somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};
