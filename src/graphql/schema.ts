import 'reflect-metadata';
import { lexicographicSortSchema, printSchema, type GraphQLSchema } from 'graphql';
import { buildSchema, type NonEmptyArray } from 'type-graphql';
import { boundFields } from './fields.js';

/** A class with resolvers. */
export type ResolverClass = new () => object;

/** Builds the schema; refuses when a root field is not bound to a command or a query. */
export const createSchema = async (resolvers: readonly ResolverClass[]): Promise<GraphQLSchema> => {
  const [first, ...others] = resolvers;
  if (!first) throw new Error('A schema needs at least one resolver');
  registerEnums();
  readPropertiesDirectly();
  const schema = await buildSchema({
    resolvers: [first, ...others] satisfies NonEmptyArray<ResolverClass>,
    validate: false,
    emitSchemaFile: false,
  });
  requireBoundFields(schema);
  return schema;
};

/** What type-graphql knows of a field. */
interface FieldMemory {
  readonly name: string;
  readonly schemaName: string;
  readonly getType?: () => unknown;
  /** Whether GraphQL reads the property itself, without a function of type-graphql around it. */
  simple?: boolean | undefined;
}

/** The part of type-graphql's memory that is looked at here; it keeps it in this global. */
interface TypeGraphqlMemory {
  readonly TypeGraphQLMetadataStorage?: { readonly fields: readonly FieldMemory[] };
}

/**
 * `enumType` in the type of a field registers the enum when that type is first asked for. type-graphql takes stock of
 * the enums before it asks, so we ask first.
 */
const registerEnums = (): void => {
  const memory = (globalThis as TypeGraphqlMemory).TypeGraphQLMetadataStorage;
  for (const field of memory?.fields ?? []) field.getType?.();
};

/**
 * Without this, type-graphql puts a function around every property of every row, which costs a list a third of its
 * time. Fields with a resolver of their own keep it.
 */
const readPropertiesDirectly = (): void => {
  const memory = (globalThis as TypeGraphqlMemory).TypeGraphQLMetadataStorage;
  for (const field of memory?.fields ?? []) {
    if (field.name === field.schemaName) field.simple ??= true;
  }
};

const requireBoundFields = (schema: GraphQLSchema): void => {
  if (schema.getSubscriptionType())
    throw new Error('Live updates go through WatchField, not through subscriptions');
  const fields = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
    type ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`) : [],
  );
  const unbound = fields.filter((field) => !boundFields.has(field));
  if (unbound.length === 0) return;
  throw new Error(`These root fields are bound to no command or query: ${unbound.join(', ')}`);
};

/** The public API as text, in a stable order. */
export const printApi = (schema: GraphQLSchema): string =>
  `${printSchema(lexicographicSortSchema(schema))}\n`;
