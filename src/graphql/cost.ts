import {
  getNamedType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** The rows that a list is taken to have when the operation does not say how many it wants. */
export const assumedRows = 10;

/** Estimates an operation for given variables, before it runs. */
export type CostPlan = (variables: Readonly<Record<string, unknown>>) => number;

/** How often what is inside a field is expected: a number, or the variable that says it. */
type Rows = number | { readonly variable: string; readonly otherwise: number };

interface CostNode {
  readonly own: number;
  readonly rows: Rows;
  readonly inside: readonly CostNode[];
}

interface Scope {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly defaults: ReadonlyMap<string, number>;
  readonly through: readonly string[];
}

/**
 * Compiles the estimate of an operation: one point per field (or what `complexity` of the field says), times the rows
 * of the lists it stands in. `first` of a page counts for its `nodes`; pages inside of pages multiply. Fields that do
 * not exist cost nothing; validation refuses them.
 */
export const compileCost = (
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): CostPlan => {
  const root = schema.getRootType(operation.operation);
  if (!root) return () => 0;
  const scope: Scope = { schema, fragments, defaults: defaultsOf(operation), through: [] };
  const nodes = nodesOf(operation.selectionSet, root, null, scope);
  return (variables) => sum(nodes, variables);
};

const sum = (nodes: readonly CostNode[], variables: Readonly<Record<string, unknown>>): number => {
  let total = 0;
  for (const node of nodes) {
    total += node.own;
    if (node.inside.length > 0) total += rowsOf(node.rows, variables) * sum(node.inside, variables);
  }
  return total;
};

const rowsOf = (rows: Rows, variables: Readonly<Record<string, unknown>>): number => {
  if (typeof rows === 'number') return rows;
  const given = variables[rows.variable];
  return typeof given === 'number' && given > 0 ? given : rows.otherwise;
};

const defaultsOf = (operation: OperationDefinitionNode): Map<string, number> =>
  new Map(
    (operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
      defaultValue?.kind === Kind.INT ? [[variable.name.value, Number(defaultValue.value)] as const] : [],
    ),
  );

const nodesOf = (
  set: SelectionSetNode,
  parent: GraphQLNamedType,
  page: Rows | null,
  scope: Scope,
): CostNode[] =>
  set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return fieldNode(selection, parent, page, scope);
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      const condition = selection.typeCondition?.name.value;
      const type = condition === undefined ? parent : (scope.schema.getType(condition) ?? parent);
      return nodesOf(selection.selectionSet, type, page, scope);
    }
    const name = selection.name.value;
    const fragment = scope.fragments.get(name);
    if (!fragment || scope.through.includes(name)) return [];
    const type = scope.schema.getType(fragment.typeCondition.name.value) ?? parent;
    return nodesOf(fragment.selectionSet, type, page, { ...scope, through: [...scope.through, name] });
  });

const fieldNode = (
  node: FieldNode,
  parent: GraphQLNamedType,
  page: Rows | null,
  scope: Scope,
): CostNode[] => {
  if (!isObjectType(parent) && !isInterfaceType(parent)) return [];
  const field = parent.getFields()[node.name.value];
  if (!field) return [];
  const own = ownCost(field);
  const type = getNamedType(field.type);
  if (!node.selectionSet || isLeafType(type)) return [{ own, rows: 1, inside: [] }];
  const wanted = firstOf(node, field, scope);
  const list = isList(field.type);
  // `first` on a list itself counts there; on a page it waits for the list inside.
  const rows = list ? (wanted ?? page ?? assumedRows) : 1;
  return [{ own, rows, inside: nodesOf(node.selectionSet, type, list ? null : wanted, scope) }];
};

const ownCost = (field: GraphQLField<unknown, unknown>): number => {
  const given = field.extensions['complexity'];
  return typeof given === 'number' ? given : 1;
};

const isList = (type: GraphQLOutputType): boolean =>
  isNonNullType(type) ? isList(type.ofType) : isListType(type);

const firstOf = (node: FieldNode, field: GraphQLField<unknown, unknown>, scope: Scope): Rows | null => {
  const argument = field.args.find(({ name }) => name === 'first');
  if (!argument) return null;
  const otherwise = typeof argument.defaultValue === 'number' ? argument.defaultValue : assumedRows;
  const value = node.arguments?.find(({ name }) => name.value === 'first')?.value;
  if (value?.kind === Kind.INT) return Number(value.value);
  if (value?.kind !== Kind.VARIABLE) return otherwise;
  const variable = value.name.value;
  return { variable, otherwise: scope.defaults.get(variable) ?? otherwise };
};
