import { z } from 'zod';
import type { ReadDb } from '../../../kernel/db.js';
import { invalidInput, notFound } from '../../../kernel/errors.js';
import type { Permission } from '../../../kernel/permissions.js';
import { defineQuery } from '../../../kernel/query.js';
import { datasetNode, LineageGraph, versionNode, type LineageEdge, type LineageNode } from './graph.js';
import { steps } from './steps.js';

const direction = z.enum(['UP', 'DOWN', 'BOTH']).meta({ id: 'LineageDirection' });

/** A lineage as far as it was asked for. */
export interface LineageView {
  readonly root: string;
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
  /** Whether there is more than was asked for. */
  readonly truncated: boolean;
}

type May = (permission: Permission) => boolean;

/** What one may not read is not in the graph. */
const rightFor: Readonly<Partial<Record<LineageNode['kind'], Permission>>> = {
  DATASET: 'dataset:read',
  FILE: 'artifact:read',
  ALIAS: 'alias:read',
  ENDPOINT: 'endpoint:read',
};

const isVisible = ({ kind }: LineageNode, may: May): boolean => {
  const right = rightFor[kind];
  return right === undefined || may(right);
};

interface Walk {
  readonly db: ReadDb;
  readonly graph: LineageGraph;
  readonly may: May;
  readonly way: 'UP' | 'DOWN';
}

/** Looks one step further from each of these; the nodes that were not known before. */
const advance = async (
  { db, graph, may, way }: Walk,
  from: readonly LineageNode[],
): Promise<LineageNode[]> => {
  const fresh: LineageNode[] = [];
  for (const [kind, looks] of Object.entries(steps[way])) {
    const ids = from.filter((node) => node.kind === kind).flatMap(({ id }) => id ?? []);
    if (ids.length === 0) continue;
    for (const look of looks) {
      const found = await look(db, ids, graph.most + 1);
      if (found.length > graph.most) graph.truncated = true;
      for (const { node, edge } of found.filter((one) => isVisible(one.node, may))) {
        if (graph.add(node)) fresh.push(node);
        graph.connect(edge);
      }
    }
  }
  return fresh;
};

const walk = async (one: Walk, root: LineageNode, depth: number): Promise<void> => {
  let edge: readonly LineageNode[] = [root];
  for (let level = 0; level < depth && edge.length > 0; level += 1) edge = await advance(one, edge);
  // Whether something lies behind the last step is seen by one more, whose nodes do not fit any more.
  if (edge.length === 0) return;
  const behind = new LineageGraph(one.graph.most + edge.length);
  for (const node of edge) behind.add(node);
  const found = await advance({ ...one, graph: behind }, edge);
  if (found.some(({ key }) => !one.graph.has(key))) one.graph.truncated = true;
};

const rootOf = async (
  db: ReadDb,
  {
    versionId,
    datasetVersionId,
  }: { versionId?: string | null | undefined; datasetVersionId?: string | null | undefined },
): Promise<LineageNode> => {
  if (Boolean(versionId) === Boolean(datasetVersionId)) {
    throw invalidInput('Give either the version of a model or that of a data set', [
      { path: 'versionId', message: 'or datasetVersionId is required' },
    ]);
  }
  const [row] = versionId
    ? await db.sql<{ id: string; model: string; version: number; sha256: string }>(
        `select v.id, m.name as model, v.version, '' as sha256 from model_version v join registered_model m on m.id = v.model_id
          where v.id = $1 and v.deleted_at is null`,
        [versionId],
      )
    : await db.sql<{ id: string; model: string; version: number; sha256: string }>(
        `select v.id, d.name as model, v.version, coalesce(v.sha256, '') as sha256
           from dataset_version v join dataset d on d.id = v.dataset_id where v.id = $1 and v.deleted_at is null`,
        [datasetVersionId],
      );
  if (!row) throw notFound('The version');
  const { id, model, version, sha256 } = row;
  if (versionId) return versionNode({ id, model, version, deleted: false });
  return datasetNode({ id, sha256, label: `${model} ${String(version)}`, deleted: false });
};

export const readLineage = defineQuery({
  name: 'modelVersion.lineage',
  describe:
    'Where a version comes from (run, commit, data, parent, members) and what uses it (children, ensembles, aliases, endpoints).',
  permission: 'modelVersion:read',
  input: z.object({
    versionId: z.uuid().nullish(),
    datasetVersionId: z.uuid().nullish().describe('Instead: what was made from this data.'),
    direction: direction.default('BOTH'),
    depth: z.int().min(1).max(10).default(3).describe('Steps from the version in each direction.'),
    most: z.int().min(1).max(500).default(200).describe('Nodes at most.'),
  }),
  handle: async ({ db, input, may }): Promise<LineageView> => {
    const root = await rootOf(db, input);
    const graph = new LineageGraph(input.most);
    graph.add(root);
    const ways = input.direction === 'BOTH' ? (['UP', 'DOWN'] as const) : [input.direction];
    for (const way of ways) await walk({ db, graph, may, way }, root, input.depth);
    const { nodes, edges, truncated } = graph;
    return { root: root.key, nodes, edges, truncated };
  },
});
