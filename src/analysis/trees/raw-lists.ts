import { OnnxFormatError } from '../errors.js';
import type { OnnxAttribute } from '../onnx/model.js';

/** The attributes of a tree operator, of equal lengths where the operator says so. */
export interface RawEnsemble {
  readonly operator: string;
  readonly treeIds: ArrayLike<number>;
  readonly nodeIds: ArrayLike<number>;
  readonly featureIds: ArrayLike<number>;
  readonly thresholds: ArrayLike<number>;
  readonly modes: readonly string[];
  readonly trueIds: ArrayLike<number>;
  readonly falseIds: ArrayLike<number>;
  /** Empty when every NaN takes the false branch. */
  readonly nanTrue: ArrayLike<number>;
  readonly voteTreeIds: ArrayLike<number>;
  readonly voteNodeIds: ArrayLike<number>;
  readonly voteTargets: ArrayLike<number>;
  readonly voteWeights: ArrayLike<number>;
  readonly base: ArrayLike<number>;
  readonly postTransform: string;
  readonly aggregate: string;
  /** Class labels of a classifier, as text. */
  readonly labels: readonly string[];
  readonly targets: number;
  /** Positions of the roots where the operator names them; null where the first node of each tree is its root. */
  readonly roots: readonly number[] | null;
  /** Values of the set tests, by position. */
  readonly sets: ReadonlyMap<number, readonly number[]>;
}

/** The attributes of a node by name. */
export type Attributes = ReadonlyMap<string, OnnxAttribute>;

/** A list of integers; empty where the attribute is missing. */
export function ints(attributes: Attributes, name: string): readonly number[] {
  return attributes.get(name)?.ints ?? [];
}

/** Refuses lists whose lengths do not fit together. */
export function checkLengths(raw: RawEnsemble): void {
  const count = raw.treeIds.length;
  if (count === 0) throw new OnnxFormatError(`${raw.operator} has no nodes.`);
  const lists = {
    nodes_nodeids: raw.nodeIds,
    nodes_featureids: raw.featureIds,
    nodes_values: raw.thresholds,
    nodes_modes: raw.modes,
    nodes_truenodeids: raw.trueIds,
    nodes_falsenodeids: raw.falseIds,
  };
  for (const [name, list] of Object.entries(lists)) expectLength(raw, name, list.length, count);
  if (raw.nanTrue.length > 0) expectLength(raw, 'nodes_missing_value_tracks_true', raw.nanTrue.length, count);
  const votes = raw.voteTreeIds.length;
  expectLength(raw, 'vote node ids', raw.voteNodeIds.length, votes);
  expectLength(raw, 'vote targets', raw.voteTargets.length, votes);
  expectLength(raw, 'vote weights', raw.voteWeights.length, votes);
}

function expectLength(raw: RawEnsemble, name: string, actual: number, wanted: number): void {
  if (actual === wanted) return;
  throw new OnnxFormatError(
    `${raw.operator} lists ${String(actual)} entries of ${name} where ${String(wanted)} belong.`,
  );
}
