import { z } from 'zod';

/** What stands in a lineage. */
export const lineageNodeKind = z
  .enum(['VERSION', 'RUN', 'COMMIT', 'DATASET', 'FILE', 'ALIAS', 'ENDPOINT'])
  .meta({ id: 'LineageNodeKind' });

/** How one leads to the other. */
export const lineageEdgeKind = z
  .enum(['TRAINED', 'CODED', 'MADE_FROM', 'DERIVED', 'MEMBER_OF', 'NAMED', 'SERVED'])
  .meta({ id: 'LineageEdgeKind' });

/** One thing of a lineage. */
export interface LineageNode {
  /** Unique in the graph: `version:<id>`, `dataset:<id or digest>`, `run:<text>`. */
  readonly key: string;
  readonly kind: z.output<typeof lineageNodeKind>;
  readonly label: string;
  /** The id of the row where there is one. */
  readonly id: string | null;
  readonly deleted: boolean;
}

/** `to` came from `from`, or is found by it. */
export interface LineageEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: z.output<typeof lineageEdgeKind>;
  /** What data was used for; else nothing. */
  readonly label: string;
}

/** What one step found: nodes with the edges that lead to them. */
export interface Found {
  readonly node: LineageNode;
  readonly edge: LineageEdge;
}

/** Nodes and edges that are known so far; no node is there twice, and not more than there may be. */
export class LineageGraph {
  readonly #nodes = new Map<string, LineageNode>();
  readonly #edges = new Map<string, LineageEdge>();
  truncated = false;

  constructor(readonly most: number) {}

  /** Adds a node; whether it is new. What does not fit is left out, and said to be. */
  add(node: LineageNode): boolean {
    if (this.#nodes.has(node.key)) return false;
    if (this.#nodes.size >= this.most) {
      this.truncated = true;
      return false;
    }
    this.#nodes.set(node.key, node);
    return true;
  }

  has(key: string): boolean {
    return this.#nodes.has(key);
  }

  connect(edge: LineageEdge): void {
    if (this.#nodes.has(edge.from) && this.#nodes.has(edge.to)) {
      this.#edges.set(`${edge.from} ${edge.kind} ${edge.to} ${edge.label}`, edge);
    }
  }

  get nodes(): LineageNode[] {
    return [...this.#nodes.values()];
  }

  get edges(): LineageEdge[] {
    return [...this.#edges.values()];
  }
}

/** A version as a node. */
export const versionNode = (row: {
  readonly id: string;
  readonly model: string;
  readonly version: number;
  readonly deleted: boolean;
}): LineageNode => ({
  key: `version:${row.id}`,
  kind: 'VERSION',
  label: `${row.model} ${String(row.version)}`,
  id: row.id,
  deleted: row.deleted,
});

/** Registered data by id, other data by its digest. */
export const datasetNode = (row: {
  readonly id: string | null;
  readonly sha256: string;
  readonly label: string;
  readonly deleted: boolean;
}): LineageNode => ({
  key: `dataset:${row.id ?? row.sha256}`,
  kind: 'DATASET',
  label: row.label,
  id: row.id,
  deleted: row.deleted,
});
