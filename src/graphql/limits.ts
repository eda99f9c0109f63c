import {
  Kind,
  OperationTypeNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { AppError } from '../kernel/errors.js';

/** What one operation may ask for. Every refusal names the limit and what was asked. */
export const operationLimits = {
  /** Bytes of the request's body. */
  bytes: 256 * 1024,
  /** Lexical tokens of the document. */
  tokens: 2_000,
  /** Levels of fields. */
  depth: 12,
  /** Levels of fields below `__schema` and `__type`: tools ask for wrapped types nine levels deep. */
  introspectionDepth: 18,
  /** Fields of the root, which are what runs commands and queries. */
  rootFields: 20,
  /** Fields under another name than their own. */
  aliases: 30,
  /** Directives anywhere in the document. */
  directives: 30,
  /** Fields and fragments when every fragment is written out where it is used. */
  selections: 2_000,
  /** Points of `cost.ts`: about one per field and expected row. */
  cost: 20_000,
} as const;

/** A limit by name. */
export type LimitName = keyof typeof operationLimits;

const sentences: Record<LimitName, string> = {
  bytes: 'bytes in the body',
  tokens: 'tokens',
  depth: 'levels of fields',
  introspectionDepth: 'levels of fields below an introspection field',
  rootFields: 'root fields',
  aliases: 'aliases',
  directives: 'directives',
  selections: 'selections with its fragments written out',
  cost: 'cost points; ask for smaller pages or fewer nested lists',
};

/** Refuses an operation over a limit. */
export const overLimit = (limit: LimitName, value: number): AppError =>
  new AppError(
    'INVALID_INPUT',
    `The operation has ${String(value)} of at most ${String(operationLimits[limit])} ${sentences[limit]}`,
    { rule: `graphql-${limit}`, limit: operationLimits[limit], value },
  );

/** What the walk through an operation counted. */
export interface OperationShape {
  readonly rootFields: number;
  /** Whether it asks for the schema itself. */
  readonly introspects: boolean;
}

/** Refuses an operation of a kind that has another door. */
export const requireServed = ({ kind }: { readonly kind: OperationTypeNode }): void => {
  if (kind !== OperationTypeNode.SUBSCRIPTION) return;
  throw new AppError(
    'INVALID_INPUT',
    'Subscriptions are not served; jobs are watched at /v1/jobs/:id/events',
    { rule: 'graphql-subscription' },
  );
};

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

interface Tally {
  aliases: number;
  directives: number;
  selections: number;
  introspects: boolean;
  readonly responseNames: Set<string>;
}

interface Place {
  readonly depth: number;
  /** Depth at which introspection began; 0 outside of it. */
  readonly introspectedAt: number;
  /** Fragments on the way here; a circle is left to validation, which names it. */
  readonly through: readonly string[];
}

/** The fragments of a document by name. */
export const fragmentsOf = (document: DocumentNode): Fragments =>
  new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );

/** The operations of a document. */
export const operationsOf = (document: DocumentNode): OperationDefinitionNode[] =>
  document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);

const isIntrospection = (name: string): boolean => name === '__schema' || name === '__type';

/** Walks an operation with its fragments written out, and refuses as soon as a limit is passed. */
export const measureOperation = (
  operation: OperationDefinitionNode,
  fragments: Fragments,
): OperationShape => {
  const tally: Tally = {
    aliases: 0,
    directives: operation.directives?.length ?? 0,
    selections: 0,
    introspects: false,
    responseNames: new Set(),
  };
  walk(operation.selectionSet, { depth: 1, introspectedAt: 0, through: [] }, fragments, tally);
  return { rootFields: tally.responseNames.size, introspects: tally.introspects };
};

const walk = (set: SelectionSetNode, place: Place, fragments: Fragments, tally: Tally): void => {
  for (const selection of set.selections) {
    count(selection, tally);
    if (selection.kind === Kind.FIELD) walkField(selection, place, fragments, tally);
    else if (selection.kind === Kind.INLINE_FRAGMENT) walk(selection.selectionSet, place, fragments, tally);
    else walkSpread(selection.name.value, place, fragments, tally);
  }
};

const count = (selection: SelectionNode, tally: Tally): void => {
  tally.selections += 1;
  if (tally.selections > operationLimits.selections) throw overLimit('selections', tally.selections);
  tally.directives += selection.directives?.length ?? 0;
  if (tally.directives > operationLimits.directives) throw overLimit('directives', tally.directives);
};

const walkSpread = (name: string, place: Place, fragments: Fragments, tally: Tally): void => {
  const fragment = fragments.get(name);
  if (!fragment || place.through.includes(name)) return;
  tally.directives += fragment.directives?.length ?? 0;
  walk(fragment.selectionSet, { ...place, through: [...place.through, name] }, fragments, tally);
};

const walkField = (field: FieldNode, place: Place, fragments: Fragments, tally: Tally): void => {
  countName(field, place, tally);
  const introspects = isIntrospection(field.name.value);
  if (introspects) tally.introspects = true;
  const introspectedAt = place.introspectedAt || (introspects ? place.depth : 0);
  requireDepth(place.depth, introspectedAt);
  if (!field.selectionSet) return;
  walk(field.selectionSet, { ...place, depth: place.depth + 1, introspectedAt }, fragments, tally);
};

const countName = (field: FieldNode, place: Place, tally: Tally): void => {
  if (field.alias) tally.aliases += 1;
  if (tally.aliases > operationLimits.aliases) throw overLimit('aliases', tally.aliases);
  if (place.depth > 1) return;
  tally.responseNames.add(field.alias?.value ?? field.name.value);
  const roots = tally.responseNames.size;
  if (roots > operationLimits.rootFields) throw overLimit('rootFields', roots);
};

const requireDepth = (depth: number, introspectedAt: number): void => {
  if (introspectedAt > 0) {
    const below = depth - introspectedAt;
    if (below > operationLimits.introspectionDepth) throw overLimit('introspectionDepth', below);
    return;
  }
  if (depth > operationLimits.depth) throw overLimit('depth', depth);
};
