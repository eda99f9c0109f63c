import { print } from './terminal.js';

const text = `countersign: governs machine-learning models and the decisions made with them

  countersign dev              everything on this machine, for trying out and developing (npm start)
  countersign api              the HTTP door: GraphQL, sign-in, downloads
  countersign worker           relay, queues and the clock of schedules; any number may run
  countersign migrate          brings the database up to date; run it before a new version starts
  countersign gate <folder>    lets a model in or refuses it, by what was signed; alone it says how
  countersign import mlflow    takes the models of another MLflow server; alone it says how
  countersign keys             shows the keys that sign; keys rotate, keys create FILE
  countersign demo             plays the story of the demo against the running server (npm run demo)
  countersign token <role>     prints a token of one hour for a person of the demo; development only
  countersign schema           prints the GraphQL schema
  countersign schema --check   fails when schema/schema.graphql is another
  countersign help             this text

Settings come from the environment; docs/configuration.md lists them.`;

/** Prints what there is. */
export const runHelp = (_args: readonly string[]): Promise<void> => {
  print(text);
  return Promise.resolve();
};
