/**
 * Lets a child process or a worker thread run our TypeScript as it stands, in development and in tests: maps the
 * `./x.js` of an import to the `./x.ts` beside it, and turns it into JavaScript. The built product never loads it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';

const typed = (url) => `${url.slice(0, -3)}.ts`;
const stands = (url) => url.startsWith('file:') && existsSync(fileURLToPath(url));

// Node says on every start that this function is experimental; nobody can act on that here.
const { emitWarning } = process;
const quietly = (work) => {
  process.emitWarning = () => undefined;
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
};

registerHooks({
  resolve(specifier, context, next) {
    if (!specifier.endsWith('.js') || !/^(\.|file:)/.test(specifier)) return next(specifier, context);
    const url = new URL(specifier, context.parentURL).href;
    if (stands(url) || !stands(typed(url))) return next(specifier, context);
    return { url: typed(url), format: 'module', shortCircuit: true };
  },
  load(url, context, next) {
    if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
    const source = readFileSync(fileURLToPath(url), 'utf8');
    const code = quietly(() => stripTypeScriptTypes(source, { mode: 'transform', sourceUrl: url }));
    return { format: 'module', source: code, shortCircuit: true };
  },
});
