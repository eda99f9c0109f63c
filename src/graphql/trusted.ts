import {
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  OperationTypeNode,
  specifiedRules,
  validate,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery, type CompilerOptions } from 'graphql-jit';
import { AppError, invalidInput } from '../kernel/errors.js';
import { boundedMap } from './bounded-map.js';
import type { Context } from './context.js';
import { inWords } from './errors.js';
import { compileLeaves } from './leaves.js';
import { requireServed } from './limits.js';
import { operationNamed, preparer, type Prepare, type Prepared, type PreparedOperation } from './prepare.js';

/** An operation of a trusted document, ready to run. */
export interface CompiledOperation {
  readonly operation: PreparedOperation;
  readonly query: Run;
  readonly stringify: (result: ExecutionResult) => string;
}

type Run = CompiledQuery['query'];

/** Compiles documents that were registered, and remembers what it compiled. Never give it a text from a request. */
export type CompileTrusted = (
  sha256: string,
  source: string,
  operationName: string | null,
) => CompiledOperation;

/** What keeps a document from being trusted: the limits of the door and the rules of the schema. */
export const checkDocument = (schema: GraphQLSchema, prepare: Prepare, source: string): Prepared => {
  const prepared = prepare(source);
  // graphql-js finds nothing wrong with a subscription that the schema has no root for.
  prepared.operations.forEach(requireServed);
  const [fault] = validate(schema, prepared.document, [...specifiedRules, NoSchemaIntrospectionCustomRule]);
  if (fault) throw fault;
  return prepared;
};

/** Refuses documents that could not be run later, and names each fault. */
export const requireTrustworthy = (schema: GraphQLSchema, texts: readonly string[]): void => {
  const prepare = preparer(schema, texts.length + 1);
  const fields = texts.flatMap((text, index) => {
    try {
      checkDocument(schema, prepare, text);
      return [];
    } catch (error) {
      return [{ path: `documents.${String(index)}.text`, message: messageOf(error) }];
    }
  });
  const [first] = fields;
  if (first) throw invalidInput(`A document cannot be registered. ${first.path}: ${first.message}`, fields);
};

const messageOf = (error: unknown): string => {
  if (error instanceof AppError) return error.message;
  if (error instanceof GraphQLError) return inWords(error.message);
  throw error;
};

/** Opens the memory of compiled operations. */
export const trustedCompiler = (
  schema: GraphQLSchema,
  prepare: Prepare,
  remembered = 500,
): CompileTrusted => {
  const known = boundedMap<CompiledOperation>(remembered);
  return (sha256, source, operationName) => {
    const key = `${sha256} ${operationName ?? ''}`;
    const earlier = known.get(key);
    if (earlier) return earlier;
    const compiled = compileOnce(schema, checkDocument(schema, prepare, source), operationName);
    known.set(key, compiled);
    return compiled;
  };
};

const compileOnce = (
  schema: GraphQLSchema,
  prepared: Prepared,
  operationName: string | null,
): CompiledOperation => {
  const operation = operationNamed(prepared, operationName);
  if (!operation) throw unknownOperation(prepared, operationName);
  const strictly = (): Run => runner(schema, prepared.document, operationName);
  const quick = operation.kind === OperationTypeNode.QUERY;
  return {
    operation,
    query: quick ? quickly(schema, prepared.document, operationName, strictly) : strictly(),
    stringify: (result) => JSON.stringify(result),
  };
};

const runner = (
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null,
  options: Partial<CompilerOptions> = {},
): Run => {
  const compiled = compileQuery(schema, document, operationName ?? undefined, options);
  if (isCompiledQuery(compiled)) return compiled.query;
  throw new Error('The trusted document could not be compiled', { cause: compiled.errors?.[0] });
};

/**
 * Runs a query without serializing its leaves one by one, which takes longer than everything else in it, and then
 * looks whether they are all of their types. The first time that one is not, the query is run again with a serializer
 * for each, which makes of the leaf what it must be or refuses it, and never without one from then on. Only queries:
 * what changes something is run once.
 */
const quickly = (
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null,
  strictly: () => Run,
): Run => {
  const quick = runner(schema, document, operationName, { disableLeafSerialization: true });
  const leavesFit = compileLeaves(schema, document, operationName);
  let strict: Run | null = null;
  return async (root, context, variables) => {
    if (!strict) {
      const result = await quick(root, context, variables);
      if (leavesFit(result.data)) return result;
      strict = strictly();
    }
    return strict(root, context, variables);
  };
};

const unknownOperation = ({ operations }: Prepared, name: string | null): AppError => {
  const names = operations.map((operation) => operation.name);
  const message =
    name === null
      ? 'The document has several operations: say which one by `operationName`'
      : `The document has no operation named ${name}`;
  return new AppError('INVALID_INPUT', message, {
    graphql: 'OPERATION_RESOLUTION_FAILURE',
    operations: names,
  });
};

/** Runs a compiled operation. */
export const runCompiled = async (
  compiled: CompiledOperation,
  context: Context,
  variables: Readonly<Record<string, unknown>>,
): Promise<ExecutionResult> => compiled.query(undefined, context, variables);
