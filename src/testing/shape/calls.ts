import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';

/** A call of one root field with made-up arguments. */
export interface Call {
  readonly field: string;
  readonly document: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Whether an id is among what is sent. */
  readonly hasId: boolean;
}

/** What scalars are called with. */
export interface Filling {
  readonly id: string;
  readonly text: string;
  /** Whether arguments that may be left out are given too. */
  readonly everything: boolean;
}

const scalar = (name: string, filling: Filling): unknown => {
  if (name === 'ID') return filling.id;
  if (name === 'Int') return 1;
  if (name === 'Float') return 0.5;
  if (name === 'Boolean') return true;
  if (name === 'DateTimeISO') return '2027-01-01T00:00:00.000Z';
  if (name === 'JSON') return { id: filling.id };
  return filling.text;
};

const valueOf = (type: GraphQLInputType, filling: Filling): unknown => {
  const inner = getNullableType(type);
  if (isListType(inner)) return [valueOf(inner.ofType, filling)];
  if (isEnumType(inner)) return inner.getValues()[0]?.name;
  if (!isInputObjectType(inner)) return scalar(inner.name, filling);
  const fields = Object.values(inner.getFields()).filter(
    (field) => filling.everything || isNonNullType(field.type),
  );
  return Object.fromEntries(fields.map((field) => [field.name, valueOf(field.type, filling)]));
};

/** Leaves of a type, a few levels deep; fields that need arguments are left out. */
export const selectionOf = (type: GraphQLOutputType, levels = 3): string => {
  const inner = getNamedType(type);
  if (!isObjectType(inner)) return '';
  const fields = Object.values(inner.getFields()).filter(
    (field) => !field.args.some(({ type: of }) => isNonNullType(of)),
  );
  const parts = fields.flatMap((field) => {
    if (isLeafType(getNamedType(field.type))) return [field.name];
    const inside = levels > 1 ? selectionOf(field.type, levels - 1) : '';
    return inside === '' ? [] : [`${field.name} ${inside}`];
  });
  return parts.length === 0 ? '{ __typename }' : `{ ${parts.join(' ')} }`;
};

const callOf = (
  kind: 'query' | 'mutation',
  field: GraphQLField<unknown, unknown>,
  filling: Filling,
): Call => {
  // Pages and cursors are not what is looked for.
  const args = field.args.filter(
    ({ name, type }) => name !== 'after' && name !== 'first' && (filling.everything || isNonNullType(type)),
  );
  const declared = args.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const given = args.map(({ name }) => `${name}: $${name}`).join(', ');
  const head = declared === '' ? kind : `${kind} (${declared})`;
  const call = given === '' ? field.name : `${field.name}(${given})`;
  const variables = Object.fromEntries(args.map(({ name, type }) => [name, valueOf(type, filling)]));
  return {
    field: `${kind} ${field.name}`,
    document: `${head} { ${call} ${selectionOf(field.type)} }`,
    variables,
    hasId: JSON.stringify(variables).includes(filling.id),
  };
};

/** One call per root field of the schema. */
export const callsOf = (schema: GraphQLSchema, filling: Filling): Call[] => {
  const of = (kind: 'query' | 'mutation'): Call[] => {
    const type = kind === 'query' ? schema.getQueryType() : schema.getMutationType();
    return Object.values(type?.getFields() ?? {}).map((field) => callOf(kind, field, filling));
  };
  return [...of('query'), ...of('mutation')];
};
