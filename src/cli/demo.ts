import { join } from 'node:path';
import { processEnvironment, readConfig } from '../config.js';
import { playStory } from '../demo/story/index.js';
import { CliError } from './fault.js';
import { readRuntime } from './runtime-file.js';
import { print } from './terminal.js';

/** Plays the story against the running server and prints its account; fails when a step does not hold. */
export const runDemo = async (): Promise<void> => {
  const config = readConfig(processEnvironment());
  const runtime = await readRuntime(config.home);
  if (!runtime && config.database.kind === 'embedded') {
    throw new CliError(
      `Nothing runs with the home ${config.home}. Run \`npm start\` in another terminal first, and wait until it is ready.`,
    );
  }
  const server = runtime?.url ?? config.url;
  print(`One governed decision, at ${server}\n`);
  try {
    const { steps } = await playStory({ server, folder: join(config.home, 'demo'), write: print });
    print(`\nAll ${String(steps)} steps held.`);
  } catch (error) {
    throw new CliError(`\nThe story ends here: ${error instanceof Error ? error.message : String(error)}`);
  }
};
