import {
  getNullableType,
  GraphQLEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isObjectType,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLLeafType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql';
import { fragmentsOf, operationsOf } from './limits.js';

/** Says whether every leaf of a result is of its type already, so that to serialize it would change nothing. */
export type LeavesFit = (data: unknown) => boolean;

/** Names of an enum that stand for themselves. */
type Names = Readonly<Record<string, ReadonlySet<unknown>>>;

interface Scope {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly names: Record<string, ReadonlySet<unknown>>;
  /** A new name for each list, because lists stand in lists. */
  lists: number;
}

/** When a value that is there needs no serializing: what graphql-js' own types would give back as it came. */
const builtIn: Readonly<Record<string, (value: string) => string>> = {
  ID: (value) => `typeof ${value} === 'string'`,
  String: (value) => `typeof ${value} === 'string'`,
  Boolean: (value) => `typeof ${value} === 'boolean'`,
  Int: (value) => `typeof ${value} === 'number' && (${value} | 0) === ${value}`,
  Float: (value) => `Number.isFinite(${value})`,
};

/**
 * Compiles the check of an operation that is valid, fragments written out. It is written as a function of its own,
 * like the compiled operation: names of GraphQL are names of JavaScript, and nothing else of the document gets in.
 * It need not know which type an object had: in a valid document what stands under a name is of one type, or absent.
 */
export const compileLeaves = (
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null,
): LeavesFit => {
  const scope: Scope = { schema, fragments: fragmentsOf(document), names: {}, lists: 0 };
  const operation = operationsOf(document).find(
    ({ name }) => operationName === null || name?.value === operationName,
  );
  const root = operation && schema.getRootType(operation.operation);
  const checks = root ? checksIn(operation.selectionSet, root, 'data', scope) : ['false'];
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- see above
  const fit = new Function('names', 'data', `return data == null || (${all(checks)})`) as (
    names: Names,
    data: unknown,
  ) => boolean;
  return (data) => fit(scope.names, data);
};

const all = (checks: readonly string[]): string => checks.join(' && ') || 'true';

const checksIn = (set: SelectionSetNode, type: GraphQLNamedType, at: string, scope: Scope): string[] =>
  set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return checksOfField(selection, type, at, scope);
    const inside =
      selection.kind === Kind.FRAGMENT_SPREAD ? scope.fragments.get(selection.name.value) : selection;
    const named = inside?.typeCondition && scope.schema.getType(inside.typeCondition.name.value);
    return inside ? checksIn(inside.selectionSet, named ?? type, at, scope) : [];
  });

const checksOfField = (field: FieldNode, type: GraphQLNamedType, at: string, scope: Scope): string[] => {
  // A union has no fields, and the one field that a type does not list, `__typename`, is never another's value.
  const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
  const definition = fields[field.name.value];
  if (!definition) return [];
  const check = checkOf(definition.type, field, `${at}.${(field.alias ?? field.name).value}`, scope);
  return check === null ? [] : [check];
};

/** The check of one value, or null when there is nothing to check. */
const checkOf = (given: GraphQLOutputType, field: FieldNode, at: string, scope: Scope): string | null => {
  const type = getNullableType(given);
  const check = isLeafType(type) ? leafCheck(type, at, scope) : insideCheck(type, field, at, scope);
  return check === null ? null : `(${at} == null || ${check})`;
};

const insideCheck = (
  type: Exclude<GraphQLOutputType, GraphQLLeafType>,
  field: FieldNode,
  at: string,
  scope: Scope,
): string | null => {
  if (isListType(type)) {
    scope.lists += 1;
    const item = `item${String(scope.lists)}`;
    const check = checkOf(type.ofType, field, item, scope);
    return check === null ? null : `Array.isArray(${at}) && ${at}.every((${item}) => ${check})`;
  }
  if (!field.selectionSet) return null;
  const checks = checksIn(field.selectionSet, getNullableType(type) as GraphQLNamedType, at, scope);
  return checks.length === 0 ? null : `(${all(checks)})`;
};

const leafCheck = (type: GraphQLLeafType, at: string, scope: Scope): string | null => {
  if (!(type instanceof GraphQLEnumType)) return builtIn[type.name]?.(at) ?? null;
  scope.names[type.name] ??= new Set(
    type.getValues().flatMap(({ name, value }) => (value === name ? [name] : [])),
  );
  return `names.${type.name}.has(${at})`;
};
