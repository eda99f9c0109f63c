import { parse, type DocumentNode, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { boundedMap } from './bounded-map.js';
import { compileCost, type CostPlan } from './cost.js';
import { fragmentsOf, measureOperation, operationLimits, operationsOf, overLimit } from './limits.js';

/** One operation of a document that keeps the limits. */
export interface PreparedOperation {
  readonly name: string | null;
  readonly kind: OperationDefinitionNode['operation'];
  readonly rootFields: number;
  readonly introspects: boolean;
  readonly cost: CostPlan;
}

/** A document that was parsed and keeps the limits; it may still be invalid. */
export interface Prepared {
  readonly document: DocumentNode;
  readonly operations: readonly PreparedOperation[];
}

/** Parses and measures documents; remembers those it has seen. Refuses with INVALID_INPUT or a syntax error. */
export type Prepare = (source: string) => Prepared;

/** Opens the memory of prepared documents. */
export const preparer = (schema: GraphQLSchema, remembered = 1_000): Prepare => {
  const known = boundedMap<Prepared>(remembered);
  return (source) => {
    const earlier = known.get(source);
    if (earlier) return earlier;
    const prepared = prepareOnce(schema, source);
    known.set(source, prepared);
    return prepared;
  };
};

const prepareOnce = (schema: GraphQLSchema, source: string): Prepared => {
  const document = parse(source, { maxLexicalTokens: operationLimits.tokens });
  const fragments = fragmentsOf(document);
  const operations = operationsOf(document).map((operation): PreparedOperation => ({
    name: operation.name?.value ?? null,
    kind: operation.operation,
    ...measureOperation(operation, fragments),
    cost: compileCost(schema, operation, fragments),
  }));
  return { document, operations };
};

/** The operation that a request means, or null: then execution says what is wrong with the name. */
export const operationNamed = (
  { operations }: Prepared,
  name: string | null | undefined,
): PreparedOperation | null => {
  if (name === undefined || name === null) return operations.length === 1 ? (operations[0] ?? null) : null;
  return operations.find((operation) => operation.name === name) ?? null;
};

/** Cost points that one unit of the rate limit buys. */
const pointsPerUnit = 1_000;

/**
 * Refuses what costs too much; returns what to charge beyond the one unit that every request costs. Each further root
 * field is a unit too, so that one document with twenty commands counts as twenty requests.
 */
export const unitsOf = (
  operation: PreparedOperation,
  variables: Readonly<Record<string, unknown>>,
): number => {
  const cost = operation.cost(variables);
  if (cost > operationLimits.cost) throw overLimit('cost', cost);
  return Math.max(0, operation.rootFields - 1) + Math.floor(cost / pointsPerUnit);
};
