/** `npm run bench -- NAME` builds and runs bench/NAME.ts; without a name it lists what there is. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';

import { build } from './build.mjs';

const root = join(import.meta.dirname, '..');
const [name = '', ...args] = process.argv.slice(2);

if (existsSync(join(root, 'bench', `${name}.ts`))) {
  await build();
  const file = join(root, 'dist', 'bench', `${name}.js`);
  const { status } = spawnSync(process.execPath, ['--enable-source-maps', file, ...args], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} else {
  const names = globSync('*.ts', { cwd: join(root, 'bench') }).map((file) => file.slice(0, -3));
  console.error(
    `${name ? `There is no benchmark "${name}".\n` : ''}npm run bench -- NAME, where NAME is one of: ${names.sort().join(', ')}`,
  );
  process.exitCode = 1;
}
