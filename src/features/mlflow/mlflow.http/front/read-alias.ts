import { z } from 'zod';
import { parseInput } from '../../../../kernel/input.js';
import type { ServerAnswer } from '../../../../kernel/model-server.js';
import { compareUpstream } from '../../mlflow.commands/differences.js';
import { protectedTarget } from '../../mlflow.queries/copies.js';
import { asDoor } from '../../upstream/front.js';
import { mirrored } from '../../upstream/mirror.js';
import { toldVersion } from '../../upstream/told.js';
import type { FrontCall } from './front-call.js';

const asked = z.object({ name: z.string().min(1).max(1000), alias: z.string().min(1).max(255) });

const answered = z.object({ model_version: toldVersion });

const standsAt = (version: number | null, otherwise: string): string =>
  version === null ? otherwise : `version ${String(version)}`;

const versionIn = ({ body }: ServerAnswer): number | null =>
  answered.safeParse(body).data?.model_version.version ?? null;

/** The model as it is known here; copied when it was not known yet, null when it is not there. */
const modelOf = async ({ call, server }: FrontCall, name: string): Promise<string | null> => {
  const mirror = { run: call.run, ask: call.ask, server, actor: asDoor(call.actor) };
  return (await mirrored(mirror, name, null))?.modelId ?? null;
};

/**
 * A protected alias reads as it was approved here. When it stands at another version there, somebody moved it behind
 * the gate: that opens a finding, and whoever reads through the gate still gets what was approved. One that was never
 * approved here reads as it stands there, because the gate came later than the name.
 */
export const readAlias = async (
  front: FrontCall,
  forward: (input: Record<string, unknown>) => Promise<ServerAnswer>,
): Promise<ServerAnswer> => {
  const { call, server, said } = front;
  const input = parseInput(asked, { name: said['name'], alias: said['alias'] });
  const theirs = await forward(input);
  const ours = await call.ask(protectedTarget, call.actor, input);
  if (!ours.isProtected) return theirs;
  const there = versionIn(theirs);
  // What had been different is settled by the comparison that the clock asks for.
  if (there === ours.version) return theirs;
  const modelId = ours.modelId ?? (await modelOf(front, input.name));
  if (modelId === null) return theirs;
  const what = `alias:${input.alias}`;
  const difference = {
    what,
    ours: standsAt(ours.version, 'nothing that was approved'),
    theirs: standsAt(there, 'nothing'),
  };
  await call.run(compareUpstream, asDoor(call.actor), {
    modelId,
    address: server.address,
    about: [what],
    differences: [difference],
  });
  if (ours.version === null) return theirs;
  const approved = { name: input.name, version: String(ours.version) };
  return server.ask({ method: 'GET', path: 'mlflow/model-versions/get', input: approved });
};
