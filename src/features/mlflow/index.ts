import type { AnyJob, Reaction } from '../../kernel/job.js';
import { carryAliases } from './mlflow.jobs/carry-aliases.js';
import { fetchFilesJob } from './mlflow.jobs/fetch-files.js';
import { importJob } from './mlflow.jobs/import-models.js';
import { announceDifference, reconcileUpstreamJob } from './mlflow.jobs/reconcile.js';
import { takeAliases } from './mlflow.jobs/take-aliases.js';

export { upstreamTick } from './mlflow.jobs/reconcile.js';

export const mlflowJobs: readonly AnyJob[] = [fetchFilesJob, reconcileUpstreamJob, importJob];

export { carryAliases };

export const mlflowReactions: readonly Reaction[] = [carryAliases, takeAliases, announceDifference];
