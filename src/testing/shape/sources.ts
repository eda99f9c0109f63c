import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installationRoot } from '../../kernel/root.js';

/** The product's source files, without tests. */
export const sources: readonly { readonly path: string; readonly text: string }[] = globSync('src/**/*.ts', {
  cwd: installationRoot,
})
  .filter((path) => !/\.(test|suite|fixture|contract)\.ts$/.test(path) && !path.startsWith('src/testing/'))
  .sort()
  .map((path) => ({ path, text: readFileSync(join(installationRoot, path), 'utf8') }));

/** A command, query or recording as it is written down. */
export interface Declared {
  readonly path: string;
  readonly identifier: string;
  readonly kind: 'Command' | 'Query' | 'Recording';
  readonly name: string;
  readonly permission: string;
}

const declaration =
  /const (\w+)(?:: [^=]+)? =\s+define(Command|Query|Recording)(?:<[^(]*>)?\(\{\s*name: '([^']+)'[\s\S]*?permission: '([^']+)'/g;

/** Every command, query and recording of the code. */
export const declared: readonly Declared[] = sources.flatMap(({ path, text }) =>
  [...text.matchAll(declaration)].map(([, identifier = '', kind = '', name = '', permission = '']) => ({
    path,
    identifier,
    kind: kind as Declared['kind'],
    name,
    permission,
  })),
);

/** How many declarations the code begins; the parser above must have understood them all. */
export const begun = sources.reduce(
  (count, { text }) => count + [...text.matchAll(/= define(Command|Query|Recording)[(<]/g)].length,
  0,
);
