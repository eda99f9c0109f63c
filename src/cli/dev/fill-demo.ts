import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config.js';
import type { Ending } from './ending.js';
import type { Progress } from './progress.js';

/** Fills the workspace of the demo over the public API on the first start of a home. */
export const fillDemo = async (config: Config, progress: Progress, ending: Ending): Promise<void> => {
  const done = join(config.home, 'demo-loaded');
  const isLoaded = await access(done).then(
    () => true,
    () => false,
  );
  if (isLoaded) return;
  const { loadDemo } = await import('../../demo/load.js');
  progress.line(`Countersign answers at ${config.url} already; filling the workspace of the demo`);
  let said = '';
  try {
    await loadDemo(config.url, (message) => {
      if (message !== said) progress.line(`  ${message}`);
      said = message;
    });
    await writeFile(done, `${new Date().toISOString()}\n`);
  } catch (error) {
    // Somebody ended it in the middle: that is no failure, and nobody is there to read of one.
    ending.check();
    // The product runs without it; the next start goes on where this one stopped.
    progress.line(`The demo could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
};
