/**
 * A task: takes structured-clone data, gives structured-clone data back. Typed arrays at the first level of the result
 * are handed over without copying, so a task must not keep them.
 */
export type Task = (input: never) => unknown;

/**
 * `quick` tasks serve somebody who waits for a decision; `long` ones never take the last thread from them.
 */
export interface TaskEntry {
  readonly lane: 'quick' | 'long';
  /** Loaded in the thread at its first use. */
  readonly load: () => Promise<Task>;
}

/** Every task by name. */
export const tasks: Readonly<Record<string, TaskEntry>> = {
  'ensemble.score': {
    lane: 'quick',
    load: async () => (await import('./ensemble/score.js')).scoreRows,
  },
  'ensemble.explain': {
    lane: 'quick',
    load: async () => (await import('./ensemble/explain.js')).explainRows,
  },
  // An evaluation scores and explains by the same code as a decision, but never in its way.
  'evaluation.score': {
    lane: 'long',
    load: async () => (await import('./ensemble/score.js')).scoreRows,
  },
  'evaluation.explain': {
    lane: 'long',
    load: async () => (await import('./ensemble/explain.js')).explainRows,
  },
  'evaluation.measure': {
    lane: 'long',
    load: async () => (await import('./evaluation/measure.js')).measureRows,
  },
  // The two steps of explainTrees; see attribution/explain-trees.ts.
  'attribution.build': {
    lane: 'long',
    load: async () => (await import('./attribution/trees.js')).buildTrees,
  },
  'attribution.run': {
    lane: 'long',
    load: async () => (await import('./attribution/trees.js')).runTrees,
  },
  'intake.pickles': {
    lane: 'long',
    load: async () => (await import('./intake/pickle/scan.js')).scanPickles,
  },
  'report.pdf': {
    lane: 'long',
    load: async () => (await import('./report/pdf/render.js')).renderPdf,
  },
  'report.xlsx': {
    lane: 'long',
    load: async () => (await import('./report/xlsx.js')).renderWorkbook,
  },
};
