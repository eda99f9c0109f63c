import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import type { GraphQLSchema } from 'graphql';
import type { Context } from './context.js';
import type { FormatError } from './errors.js';
import { operationLimits } from './limits.js';

/** What Apollo is started with. */
export interface ApolloOptions {
  readonly schema: GraphQLSchema;
  readonly format: FormatError;
  readonly suggestions: boolean;
  readonly plugins?: readonly ApolloServerPlugin<Context>[];
}

/** Starts Apollo for documents that are sent along. Limits, cost and rights are the door's, before it. */
export const startApollo = async (options: ApolloOptions): Promise<ApolloServer<Context>> => {
  const apollo = new ApolloServer<Context>({
    schema: options.schema,
    formatError: options.format,
    // Who may introspect is decided per request, by the door.
    introspection: true,
    hideSchemaDetailsFromClientErrors: !options.suggestions,
    includeStacktraceInErrorResponses: false,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    parseOptions: { maxLexicalTokens: operationLimits.tokens },
    maxRecursiveSelections: operationLimits.selections,
    nodeEnv: 'production',
    stopOnTerminationSignals: false,
    // Cache control hooks every field and halves the throughput; the others would speak to the outside.
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
    ],
  });
  await apollo.start();
  return apollo;
};
