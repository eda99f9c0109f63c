import { exitCodeOf, printed } from './cli/fault.js';
import { complain } from './cli/terminal.js';

type Run = (args: readonly string[]) => Promise<void>;

/** Each command is loaded when it is asked for: `help` needs no database driver. */
const commands: Readonly<Record<string, () => Promise<Run>>> = {
  dev: async () => (await import('./cli/dev.js')).runDev,
  api: async () => (await import('./cli/api.js')).runApi,
  worker: async () => (await import('./cli/worker.js')).runWorker,
  migrate: async () => (await import('./cli/migrate.js')).runMigrate,
  schema: async () => (await import('./cli/schema.js')).runSchema,
  token: async () => (await import('./cli/token.js')).runToken,
  gate: async () => (await import('./cli/gate.js')).runGate,
  import: async () => (await import('./cli/import.js')).runImport,
  keys: async () => (await import('./cli/keys.js')).runKeys,
  demo: async () => (await import('./cli/demo.js')).runDemo,
  help: async () => (await import('./cli/help.js')).runHelp,
};

const [name = 'help', ...args] = process.argv.slice(2);
const wantsHelp = ['-h', '--help'].includes(name) || args.includes('--help');
// Not what every object has by nature: `constructor` is no command.
const load = Object.hasOwn(commands, name) || wantsHelp ? commands[wantsHelp ? 'help' : name] : undefined;

try {
  if (load) {
    const run = await load();
    await run(args);
  } else {
    const { runHelp } = await import('./cli/help.js');
    complain(`There is no command ${name}.\n`);
    await runHelp([]);
    process.exitCode = 2;
  }
} catch (error) {
  complain(printed(error));
  const end = (): never => process.exit(exitCodeOf(error));
  // A supervisor shows the sentence too; everything else stands in the log.
  if (process.send) process.send({ say: 'failed', reason: printed(error).split('\n', 1)[0] }, end);
  else end();
}
