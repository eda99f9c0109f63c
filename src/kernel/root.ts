import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const findRoot = (from: string): string => {
  if (existsSync(join(from, 'policies', 'model.conf'))) return from;
  const parent = dirname(from);
  if (parent === from)
    throw new Error('The installation folder (with policies/, models/, reports/) was not found');
  return findRoot(parent);
};

/** The folder that holds `policies/`, `models/` and `reports/`, wherever the code runs from (`src` or `dist`). */
export const installationRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));
