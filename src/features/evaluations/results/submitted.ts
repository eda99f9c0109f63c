import type { PredictionsSpec } from '../predictions-spec.js';
import type { MeasuredDataset } from './performance.js';

/** What the evidence of submitted predictions is about. */
export interface Submitted {
  readonly dataset: MeasuredDataset;
  readonly spec: PredictionsSpec;
  readonly submittedBy: string;
  readonly versionDigest: string;
}

/** What a reader must know of all evidence that was submitted. */
export const submittedNotes = ({ submittedBy, dataset, versionDigest }: Submitted): string[] => [
  `SUBMITTED: ${submittedBy} sent these predictions. Nobody here computed them from the model; whoever sent them says that they are those of this version (${versionDigest.slice(0, 12)}…). What was counted is counted on the table with sha256 ${dataset.sha256.slice(0, 12)}….`,
];
