import type { JobContext } from '../../../kernel/job.js';
import { changeById, changeStandings } from '../../approvals/index.js';
import type { Shown } from '../content.js';
import { slackFacts } from '../slack.queries/requests.js';

/** Reads a request with everything that its message shows. */
export const readShown = async (
  { ask, actor }: Pick<JobContext<unknown>, 'ask' | 'actor'>,
  changeRequestId: string,
): Promise<Shown> => {
  const change = await ask(changeById, actor, { id: changeRequestId });
  const [standing] = await ask(changeStandings, actor, { ids: [changeRequestId] });
  if (!standing) throw new Error('A change request without a standing');
  const facts = await ask(slackFacts, actor, { changeRequestId });
  return { workspaceId: actor.workspaceId ?? '', change, standing, facts };
};
