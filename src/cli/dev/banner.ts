import type { Config } from '../../config.js';
import { demoPeople } from '../../demo/people.js';

/** What is printed when everything runs: the address, who can sign in, what to try next. */
export const banner = (config: Config, facts: { seconds: number; logs: string; metrics: string }): string =>
  [
    '',
    `Countersign runs at ${config.url}   (ready after ${facts.seconds.toFixed(1)} s)`,
    '',
    ...(config.oidc.kind === 'embedded'
      ? whoCanSignIn()
      : [`  Sign in at ${config.url} with your identity provider.`, '']),
    '  Try next',
    `    ${config.url}            sign in as one of them and look around`,
    `    ${config.url}/graphiql   the API, with its documentation`,
    '    npm run demo                     plays a whole story: from a new version to a decision and its review',
    '    npm run -s dev:token -- auditor  a token of one hour for that person',
    '',
    `  Metrics: ${config.url}/metrics (api), ${facts.metrics} (worker: jobs, decisions)`,
    `  Logs are in ${facts.logs}. Ctrl-C ends everything.`,
    '',
  ].join('\n');

const whoCanSignIn = (): string[] => [
  '  Who can sign in (no password; development only)',
  ...demoPeople.map(({ role, name }) => `    ${role.padEnd(14)} ${name}`),
  '',
];
