/* Writes small ONNX files for tests. It knows nothing of the reader. */

type Bytes = readonly number[];

function varint(value: number): number[] {
  let left = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    bytes.push(Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0));
    left >>= 7n;
  } while (left > 0n);
  return bytes;
}

const int = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];
const block = (field: number, bytes: Bytes): number[] => [
  ...varint(field * 8 + 2),
  ...varint(bytes.length),
  ...bytes,
];
const text = (field: number, value: string): number[] => block(field, [...Buffer.from(value)]);
const floatBytes = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)];
const float = (field: number, value: number): number[] => [...varint(field * 8 + 5), ...floatBytes(value)];
const doubleBytes = (values: readonly number[]): number[] => [
  ...new Uint8Array(Float64Array.from(values).buffer),
];

/** A float, an int, a text or a list of them; `{ doubles }` is a tensor of doubles, `{ tensor }` bytes of one. */
export type AttributeValue =
  | { readonly float: number }
  | { readonly int: number }
  | string
  | { readonly floats: readonly number[] }
  | { readonly ints: readonly number[] }
  | readonly string[]
  | { readonly doubles: readonly number[] }
  | { readonly tensor: Bytes }
  | { readonly graph: Bytes };

function attribute(name: string, value: AttributeValue): number[] {
  const head = text(1, name);
  if (typeof value === 'string') return [...head, ...text(4, value), ...int(20, 3)];
  if ('float' in value) return [...head, ...float(2, value.float), ...int(20, 1)];
  if ('int' in value) return [...head, ...int(3, value.int), ...int(20, 2)];
  if ('floats' in value) return [...head, ...value.floats.flatMap((one) => float(7, one)), ...int(20, 6)];
  if ('ints' in value) return [...head, ...value.ints.flatMap((one) => int(8, one)), ...int(20, 7)];
  if ('doubles' in value) {
    const { doubles } = value;
    return [
      ...head,
      ...block(5, tensor({ type: 11, dims: [doubles.length], raw: doubleBytes(doubles) })),
      ...int(20, 4),
    ];
  }
  if ('tensor' in value) return [...head, ...block(5, value.tensor), ...int(20, 4)];
  if ('graph' in value) return [...head, ...block(6, value.graph), ...int(20, 5)];
  return [...head, ...value.flatMap((one) => text(9, one)), ...int(20, 8)];
}

export interface TensorParts {
  readonly name?: string;
  readonly type: number;
  readonly dims: readonly number[];
  readonly raw?: Bytes;
  readonly int32s?: readonly number[];
  readonly strings?: readonly string[];
  readonly location?: string;
}

export function tensor(parts: TensorParts): number[] {
  return [
    ...parts.dims.flatMap((dim) => int(1, dim)),
    ...int(2, parts.type),
    ...text(8, parts.name ?? 'tensor'),
    ...(parts.int32s === undefined ? [] : block(5, parts.int32s.flatMap(varint))),
    ...(parts.strings ?? []).flatMap((one) => text(6, one)),
    ...(parts.raw === undefined ? [] : block(9, parts.raw)),
    ...(parts.location === undefined
      ? []
      : [...block(13, [...text(1, 'location'), ...text(2, parts.location)]), ...int(14, 1)]),
  ];
}

export interface NodeParts {
  readonly operator: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

export function node(parts: NodeParts): number[] {
  return [
    ...parts.inputs.flatMap((name) => text(1, name)),
    ...parts.outputs.flatMap((name) => text(2, name)),
    ...text(4, parts.operator),
    ...Object.entries(parts.attributes ?? {}).flatMap(([name, value]) => block(5, attribute(name, value))),
    ...text(7, parts.domain ?? 'ai.onnx.ml'),
  ];
}

export interface ValueParts {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly (number | string)[];
}

export function value({ name, type, shape }: ValueParts): number[] {
  const dims = shape.flatMap((dim) => block(1, typeof dim === 'number' ? int(1, dim) : text(2, dim)));
  return [...text(1, name), ...block(2, block(1, [...int(1, type), ...block(2, dims)]))];
}

export interface GraphParts {
  readonly nodes: readonly NodeParts[];
  readonly inputs: readonly ValueParts[];
  readonly outputs: readonly ValueParts[];
  readonly initializers?: readonly TensorParts[];
}

export function graph(parts: GraphParts): number[] {
  return [
    ...parts.nodes.flatMap((one) => block(1, node(one))),
    ...text(2, 'graph'),
    ...(parts.initializers ?? []).flatMap((one) => block(5, tensor(one))),
    ...parts.inputs.flatMap((one) => block(11, value(one))),
    ...parts.outputs.flatMap((one) => block(12, value(one))),
  ];
}

/** Bytes of a model with one graph; `more` is appended as it is. */
export function onnxFile(parts: GraphParts, more: Bytes = [], mlVersion = 3): Uint8Array {
  const opset = (domain: string, version: number): number[] =>
    block(8, [...text(1, domain), ...int(2, version)]);
  return Uint8Array.from([
    ...int(1, 8),
    ...text(2, 'test-writer'),
    ...text(3, '1.0'),
    ...int(5, 7),
    ...block(7, graph(parts)),
    ...opset('', 17),
    ...opset('ai.onnx.ml', mlVersion),
    ...block(14, [...text(1, 'origin'), ...text(2, 'test')]),
    ...more,
  ]);
}

export { block as protobufBlock, int as protobufInt };

/** A model of one scoring node over `width` float columns. */
export function scorerFile(
  operator: string,
  attributes: Readonly<Record<string, AttributeValue>>,
  width: number,
): Uint8Array {
  const isRegressor = operator.endsWith('Regressor');
  return onnxFile({
    nodes: [{ operator, inputs: ['x'], outputs: isRegressor ? ['p'] : ['label', 'p'], attributes }],
    inputs: [{ name: 'x', type: 1, shape: ['rows', width] }],
    outputs: [
      ...(isRegressor ? [] : [{ name: 'label', type: 7, shape: ['rows'] }]),
      { name: 'p', type: 1, shape: ['rows', isRegressor ? 1 : 2] },
    ],
  });
}

/** A tree: a leaf weight, or a split with the branch taken when true, then the other. */
export type TreeSketch =
  | number
  | {
      readonly mode: string;
      readonly feature: number;
      readonly threshold: number;
      readonly nanTrue?: boolean;
      readonly yes: TreeSketch;
      readonly no: TreeSketch;
    };

/** Attributes of a tree operator; the same object used twice becomes a shared child. */
export function treeAttributes(
  trees: readonly TreeSketch[],
  votes: 'class' | 'target',
  target = 0,
): Record<string, AttributeValue> {
  const lists: Record<'tree' | 'node' | 'feature' | 'yes' | 'no' | 'nan', number[]> = {
    tree: [],
    node: [],
    feature: [],
    yes: [],
    no: [],
    nan: [],
  };
  const thresholds: number[] = [];
  const modes: string[] = [];
  const leaves: { tree: number; node: number; weight: number }[] = [];
  trees.forEach((sketch, tree) => {
    let count = 0;
    const places = new Map<TreeSketch, number>();
    const add = (part: TreeSketch): number => {
      const known = typeof part === 'number' ? undefined : places.get(part);
      if (known !== undefined) return known;
      const id = count;
      count += 1;
      places.set(part, id);
      const at = lists.tree.push(tree) - 1;
      lists.node.push(id);
      const isLeaf = typeof part === 'number';
      lists.feature.push(isLeaf ? 0 : part.feature);
      lists.nan.push(!isLeaf && part.nanTrue === true ? 1 : 0);
      thresholds.push(isLeaf ? 0 : part.threshold);
      modes.push(isLeaf ? 'LEAF' : part.mode);
      lists.yes.push(0);
      lists.no.push(0);
      if (isLeaf) leaves.push({ tree, node: id, weight: part });
      else {
        lists.yes[at] = add(part.yes);
        lists.no[at] = add(part.no);
      }
      return id;
    };
    add(sketch);
  });
  return {
    nodes_treeids: { ints: lists.tree },
    nodes_nodeids: { ints: lists.node },
    nodes_featureids: { ints: lists.feature },
    nodes_values: { floats: thresholds },
    nodes_modes: modes,
    nodes_truenodeids: { ints: lists.yes },
    nodes_falsenodeids: { ints: lists.no },
    nodes_missing_value_tracks_true: { ints: lists.nan },
    [`${votes}_treeids`]: { ints: leaves.map(({ tree }) => tree) },
    [`${votes}_nodeids`]: { ints: leaves.map((leaf) => leaf.node) },
    [`${votes}_ids`]: { ints: leaves.map(() => target) },
    [`${votes}_weights`]: { floats: leaves.map(({ weight }) => weight) },
  };
}
