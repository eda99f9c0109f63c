import { once } from 'node:events';
import { z } from 'zod';
import { processEnvironment, readConfig, type Config } from '../config.js';
import { CliError } from './fault.js';

/** What the supervisor tells a child, and what the child tells back. */
export const toChild = z.discriminatedUnion('say', [
  z.object({
    say: z.literal('begin'),
    environment: z.record(z.string(), z.string()),
    /** Whether the api makes the place and the people of the demo. */
    demo: z.boolean(),
  }),
  z.object({ say: z.literal('stop') }),
]);

/** What a child tells its supervisor. */
export const fromChild = z.discriminatedUnion('say', [
  z.object({ say: z.literal('loaded') }),
  z.object({ say: z.literal('ready') }),
  z.object({ say: z.literal('failed'), reason: z.string() }),
]);

/** Whether `countersign dev` started this process. */
export const isSupervised = (args: readonly string[]): boolean =>
  args.includes('--supervised') && process.connected;

/** Tells the supervisor, if there is one. */
export const tell = (message: z.input<typeof fromChild>): void => {
  if (process.connected) process.send?.(message);
};

/** With what a serving process begins. */
export interface ServingConfig {
  readonly config: Config;
  readonly demo: boolean;
}

/**
 * The configuration of a process that serves. A supervised one has loaded its code by now and waits for the
 * addresses and secrets of what the supervisor started; they come over the pipe, so nobody sees them in `ps`.
 */
export const servingConfig = async (args: readonly string[]): Promise<ServingConfig> => {
  if (!isSupervised(args)) return { config: readConfig(processEnvironment()), demo: false };
  const begun = once(process, 'message');
  tell({ say: 'loaded' });
  const [raw] = (await begun) as [unknown];
  const message = toChild.parse(raw);
  if (message.say === 'stop') process.exit(0);
  return { config: readConfig(message.environment), demo: message.demo };
};

/** The database of a process that starts none itself. */
export const databaseUrlOf = (config: Config, command: string): string => {
  if (config.database.kind === 'external') return config.database.url;
  throw new CliError(
    `countersign ${command} starts no database of its own: set DATABASE_URL, or run \`countersign dev\` (npm start), which does.`,
  );
};
