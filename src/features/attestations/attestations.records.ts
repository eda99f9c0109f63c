import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Tx } from '../../kernel/db.js';
import { AppError, invalidInput, notFound } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import { defineRecording } from '../../kernel/record.js';
import { foldName } from '../registry/index.js';
import { reconcileRuntimeJob } from './attestations.jobs.js';
import { attestationPolicy } from './policy.js';
import type { RuntimeState } from './runtime.entity.js';
import { digestState, needsReconciling, standingsOf, stateOf } from './runtime-standing.js';

/** What a runtime tells. */
export const deploymentReport = z.object({
  environment: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be lower-case letters, digits and hyphens')
    .default('production'),
  endpoint: z.string().max(63).nullish().describe('What it serves: the short name of an endpoint,'),
  model: z.string().max(1000).nullish().describe('or the name of a model'),
  alias: z.string().max(1000).nullish().describe('and its alias.'),
  instance: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .describe('Which of the processes: the same name in each report.'),
  digests: z
    .array(z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits'))
    .min(1)
    .max(20)
    .describe('The digest of each model folder that it has loaded (`countersign gate --digest`).'),
  at: z.coerce.date().describe('When it was so, by the clock of the runtime.'),
  stopped: z.boolean().default(false).describe('Whether this is its last word.'),
});

type Report = z.output<typeof deploymentReport>;

interface Place {
  readonly modelId: string;
  readonly alias: string;
  readonly useCaseId: string | null;
  readonly endpointId: string | null;
}

/** What is compared: an endpoint names model, alias and use; else model and alias do. */
const placeOf = async (tx: Tx, { endpoint, model, alias }: Report): Promise<Place> => {
  const byEndpoint = typeof endpoint === 'string';
  if (byEndpoint === (typeof model === 'string' && typeof alias === 'string')) {
    throw invalidInput('Give either the endpoint or the model and its alias', [
      { path: 'endpoint', message: 'or model and alias' },
    ]);
  }
  const [row] = byEndpoint
    ? await tx.sql<Place>(
        `select model_id as "modelId", alias, use_case_id as "useCaseId", id as "endpointId" from endpoint where slug = $1`,
        [endpoint],
      )
    : await tx.sql<Place>(
        `select id as "modelId", $2::text as alias, null as "useCaseId", null as "endpointId"
           from registered_model where folded = $1 and deleted_at is null`,
        [foldName(model ?? ''), alias ?? ''],
      );
  if (!row) throw notFound(byEndpoint ? `The endpoint ${endpoint}` : `The model ${model ?? ''}`);
  return row;
};

/** The same place and instance is the same runtime: a UUID (version 8) made of a hash. */
const runtimeIdOf = (workspaceId: string, { environment, instance }: Report, place: Place): string => {
  const identity = [
    workspaceId,
    environment,
    place.endpointId,
    place.modelId,
    foldName(place.alias),
    instance,
  ];
  const hex = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};

/** How far the clock of a runtime may be ahead of ours. */
const mostAheadMs = 5 * 60_000;

const requirePast = ({ at }: Report, now: Date): void => {
  const fault = at.getTime() <= 0 ? 'lies before there were clocks' : 'lies in the future';
  if (at.getTime() > 0 && at.getTime() <= now.getTime() + mostAheadMs) return;
  throw invalidInput('A report tells of what was', [{ path: 'at', message: fault }]);
};

/** Whoever holds a token could otherwise invent names without end. */
const requireRoom = async (tx: Tx): Promise<void> => {
  const { most } = attestationPolicy().runtimes;
  const [row] = await tx.sql<{ count: number }>('select count(*)::int as count from runtime', []);
  if ((row?.count ?? 0) < most) return;
  throw new AppError(
    'PRECONDITION_FAILED',
    `The workspace knows ${String(most)} runtimes; retire some first`,
    {
      rule: 'runtime-count',
      most,
    },
  );
};

/** Keeps the newest reports of a runtime only. */
const prune = async (tx: Tx, runtimeId: string): Promise<void> => {
  await tx.sql(
    `delete from deployment_report where id in (
       select id from deployment_report where runtime_id = $1 order by reported_at desc, id desc offset $2)`,
    [runtimeId, attestationPolicy().runtimes.history],
  );
};

/** What a runtime is told in return. */
export interface Reported {
  readonly id: string;
  readonly state: RuntimeState;
  readonly digests: readonly { readonly sha256: string; readonly state: RuntimeState }[];
}

/** What runs, as a runtime tells it; by the minute, so it is telemetry. Only a state that is new reaches the trail. */
export const reportDeployment = defineRecording({
  name: 'deployment.report',
  describe:
    'A runtime tells which model folders it has loaded, and learns whether they are approved for this place. Report at least every few minutes.',
  permission: 'runtime:report',
  input: deploymentReport,
  write: async ({ tx, now, enqueue }, input, actor) => {
    requirePast(input, now);
    const place = await placeOf(tx, input);
    const workspaceId = actor.workspaceId ?? '';
    const id = runtimeIdOf(workspaceId, input, place);
    const { environment, instance, digests, stopped, at } = input;
    await tx.sql(
      `insert into deployment_report (id, workspace_id, runtime_id, environment, model_id, alias, folded_alias,
         use_case_id, endpoint_id, instance, digests, stopped, reported_at, received_at, reported_by)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
      [
        newId(),
        workspaceId,
        id,
        environment,
        place.modelId,
        place.alias,
        foldName(place.alias),
        place.useCaseId,
        place.endpointId,
        instance,
        [...new Set(digests)],
        stopped,
        at,
        now,
        actor.id,
      ],
    );
    await prune(tx, id);
    const [standing] = await standingsOf(tx, [id]);
    if (!standing) throw new Error('A report was written and is not there');
    if (standing.known === null) await requireRoom(tx);
    if (needsReconciling(standing, now)) enqueue(reconcileRuntimeJob, { runtimeId: id });
    const result: Reported = {
      id,
      state: stateOf(standing, now),
      digests: standing.digests.map((sha256) => ({
        sha256,
        state: digestState(standing.attestations, sha256, now),
      })),
    };
    return { result, audit: null };
  },
});
