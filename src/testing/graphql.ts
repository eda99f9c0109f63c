import { graphql, type GraphQLFormattedError } from 'graphql';
import type { App } from '../app.js';
import type { Actor } from '../kernel/actor.js';
import { recordingRunner } from '../kernel/record.js';
import type { Context } from '../graphql/context.js';
import { errorFormatter } from '../graphql/errors.js';

/** What a call answered; `data` is shaped by the document, so the test says what it expects. */
export interface GraphqlAnswer<Data> {
  readonly data: Data | null;
  readonly errors: readonly GraphQLFormattedError[];
  /** Code of the first error. */
  readonly code: string | undefined;
}

/** Calls the schema as an actor, with the error format of the door. */
export type GraphqlCall = <Data = Record<string, unknown>>(
  actor: Actor,
  document: string,
  variables?: Readonly<Record<string, unknown>>,
) => Promise<GraphqlAnswer<Data>>;

/** The call over an application. */
export const graphqlOver = (app: App): GraphqlCall => {
  const format = errorFormatter(app.log);
  return async <Data>(actor: Actor, document: string, variables: Readonly<Record<string, unknown>> = {}) => {
    const { run, ask, access } = app;
    const record = recordingRunner(app.record);
    const contextValue: Context = { actor, run, ask, record, access, loaders: new Map() };
    const result = await graphql({
      schema: app.schema,
      source: document,
      variableValues: variables,
      contextValue,
    });
    const errors = (result.errors ?? []).map((error) => format(error.toJSON(), error));
    const code = errors[0]?.extensions?.['code'];
    return {
      data: (result.data ?? null) as Data | null,
      errors,
      code: typeof code === 'string' ? code : undefined,
    };
  };
};
