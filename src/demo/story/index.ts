import { openAccount } from './account.js';
import { listTrail, readBack, takeReport } from './audit.js';
import { decideApplications, openTool, reviewOne, suspendAndResume } from './decisions.js';
import { passGate } from './gate.js';
import { bringChallenger, promote, voidSecondRequest } from './promotion.js';
import { enterWorld } from './world.js';

/** Where the story plays and what it leaves. */
export interface StoryOptions {
  /** Address of the running server. */
  readonly server: string;
  /** Where downloads go. */
  readonly folder: string;
  readonly write: (line: string) => void;
}

/** Plays the story of one governed decision, from a training result to the auditor's desk; throws when a step does not hold. */
export const playStory = async ({ server, folder, write }: StoryOptions): Promise<{ steps: number }> => {
  const account = openAccount(write);
  const world = await enterWorld(server, account);
  const versionId = await bringChallenger(world);
  const changeId = await promote(world, versionId);
  const { tool, tokenId } = await openTool(world, server);
  const { finishedId, waitingId } = await decideApplications(world, tool);
  await reviewOne(world, waitingId);
  await suspendAndResume(world, tool);
  await readBack(world, finishedId);
  await takeReport(world, versionId, folder);
  await listTrail(world, changeId);
  await voidSecondRequest(world);
  await passGate(world, versionId, folder);
  const { owner } = world.people;
  await account.step(owner.name, 'revokes the token of the internal tool', () =>
    owner.ask(`mutation ($input: ApiTokenRevokeInput!) { revokeApiToken(input: $input) { id } }`, {
      input: { tokenId },
    }),
  );
  await account.step(tool.name, 'tries it once more', async () => {
    const code = await tool.ask('{ viewer { id } }').then(
      () => 'let in',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    account.holds(code !== 'let in', 'A revoked token still asks');
    account.fact(code);
  });
  return { steps: account.steps };
};
