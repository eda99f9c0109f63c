import { z } from 'zod';
import { roles } from '../../../kernel/actor.js';
import { defineCommand, type EnqueueOptions } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { newId } from '../../../kernel/id.js';
import type { Job } from '../../../kernel/job.js';
import { nudgesOf } from '../nudges.js';
import { settingsIn, type SlackSettings } from '../settings.js';
import { SlackSetting } from '../slack-setting.entity.js';
import { nudgeJob } from '../slack.jobs/nudge.js';

const channel = z
  .string()
  .trim()
  .regex(/^(#[^\s#]{1,80}|[CG][A-Z0-9]{2,30})$/, 'must be a channel: its id (C0123ABC) or #name');
const hours = z.int().min(1).max(720);
const role = z.enum(roles).exclude(['service']).meta({ id: 'SlackEscalationRole' });

const changesOf = (before: SlackSettings, after: SlackSettings) =>
  Object.fromEntries(
    (Object.keys(after) as (keyof SlackSettings)[])
      .filter((name) => before[name] !== after[name])
      .map((name) => [name, { from: before[name], to: after[name] }]),
  );

type Enqueue = <Payload>(job: Job<Payload>, payload: Payload, options?: EnqueueOptions) => string;

interface OpenRequest {
  readonly id: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Asks for the times at which people are told again. One that is over, or was told, does nothing. */
const schedule = (enqueue: Enqueue, requests: readonly OpenRequest[], settings: SlackSettings): void => {
  for (const request of requests) {
    for (const { nudge, at } of nudgesOf(request, settings)) {
      enqueue(nudgeJob, { changeRequestId: request.id, nudge }, { notBefore: at });
    }
  }
};

const openRequests = (tx: Tx): Promise<OpenRequest[]> =>
  tx.sql<OpenRequest>(
    `select c.id, c.created_at as "createdAt", c.expires_at as "expiresAt"
       from slack_message m join change_request c on c.id = m.change_request_id
      where c.state = 'OPEN' order by c.id`,
  );

export const updateSlackSettings = defineCommand({
  name: 'slackSetting.update',
  describe:
    'Says where requests are told in Slack, and when people are reminded; what is left out is not done.',
  permission: 'slack:manage',
  input: z.object({
    channel: channel.nullish().describe('Instead of the channel of the installation.'),
    remindAfterHours: hours.nullish().describe('Reminds when nobody decided for so long.'),
    escalateAfterHours: hours.nullish().describe('Escalates what is still open after so long.'),
    escalationChannel: channel
      .nullish()
      .describe('Where to escalate; left out: in the thread of the request.'),
    escalationRole: role.nullish().describe('Whom to name; left out: those who are asked.'),
  }),
  target: (_tx, _input, actor) => Promise.resolve({ id: actor.workspaceId ?? '' }),
  handle: async ({ tx, actor, input, target, now, enqueue }) => {
    // Two at one moment would both find nothing and both write.
    await tx.sql(`select pg_advisory_xact_lock(hashtextextended('slack_setting/' || $1, 0))`, [target.id]);
    const before = await settingsIn(tx);
    const after: SlackSettings = {
      channel: input.channel ?? null,
      remindAfterHours: input.remindAfterHours ?? null,
      escalateAfterHours: input.escalateAfterHours ?? null,
      escalationChannel: input.escalationChannel ?? null,
      escalationRole: input.escalationRole ?? null,
    };
    const row = { ...after, updatedBy: actor.id, updatedAt: now };
    const known = await tx.lock(SlackSetting, { workspaceId: target.id });
    if (known) await tx.update(SlackSetting, { id: known.id }, row);
    else await tx.insert(SlackSetting, { ...row, id: newId(), workspaceId: target.id });
    schedule(enqueue, await openRequests(tx), after);
    return {
      result: { id: target.id },
      audit: { subject: { kind: 'slackSetting', id: target.id }, changes: changesOf(before, after) },
    };
  },
});

export const scheduleNudges = defineCommand({
  name: 'slackReminder.schedule',
  describe: 'Asks for the times at which people are told again of a request.',
  permission: 'slack:deliver',
  input: z.object({ changeRequestId: z.uuid() }),
  target: (_tx, input) => Promise.resolve({ id: input.changeRequestId }),
  handle: async ({ tx, target, enqueue }) => {
    const requests = await tx.sql<OpenRequest>(
      `select id, created_at as "createdAt", expires_at as "expiresAt" from change_request where id = $1`,
      [target.id],
    );
    const settings = await settingsIn(tx);
    schedule(enqueue, requests, settings);
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'changeRequest', id: target.id },
        facts: {
          reminders: requests
            .flatMap((one) => nudgesOf(one, settings))
            .map(({ nudge, at }) => ({ nudge, at: at.toISOString() })),
        },
      },
    };
  },
});
