import { z } from 'zod';
import type { ReadDb } from '../../../kernel/db.js';
import { notFound } from '../../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';
import { policyInForce, readApprovals, type ApprovalView } from '../../approvals/index.js';
import type { RiskTier } from '../../usecases/index.js';
import { settingsIn, type SlackSettings } from '../settings.js';
import type { SlackDeliveryState } from '../slack-delivery.entity.js';
import { SlackMessage } from '../slack-message.entity.js';

interface PlaceRow {
  readonly workspaceId: string;
  readonly changeRequestId: string;
}

export const requestAt = defineQuery({
  name: 'slackMessage.request',
  describe: 'Which request a message in Slack is about, whatever the workspace.',
  permission: 'slack:deliver',
  scope: 'installation',
  input: z.object({ channel: z.string(), ts: z.string() }),
  handle: async ({ db, input }): Promise<PlaceRow | null> => {
    const [row] = await db.sql<PlaceRow>(
      `select workspace_id as "workspaceId", change_request_id as "changeRequestId"
         from slack_message where channel = $1 and ts = $2`,
      [input.channel, input.ts],
    );
    return row ?? null;
  },
});

/** How two versions differ in a metric. */
export interface MetricMove {
  readonly name: string;
  readonly from: number | null;
  readonly to: number;
}

/** What a message about a request needs beside the request itself. */
export interface SlackFacts {
  /** Null: the change is not about a use case. */
  readonly riskTier: RiskTier | null;
  /** Whether the policy lets this be approved in Slack. */
  readonly approvable: boolean;
  readonly metrics: readonly MetricMove[];
  readonly decisions: readonly ApprovalView[];
  readonly closedByName: string | null;
  readonly message: { readonly channel: string; readonly ts: string; readonly shownSha256: string } | null;
  /** Whether its message was posted or waits to be. */
  readonly announced: boolean;
  readonly settings: SlackSettings;
}

interface FactRow {
  readonly kind: string;
  readonly riskTier: RiskTier | null;
  readonly from: Readonly<Record<string, number>> | null;
  readonly to: Readonly<Record<string, number>> | null;
  readonly closedByName: string | null;
  readonly announced: boolean;
}

const facts = `
  select c.kind, u.risk_tier as "riskTier", f.metrics as "from", v.metrics as "to", p.display_name as "closedByName",
         exists (select 1 from slack_delivery d
                  where d.change_request_id = c.id and d.content->>'kind' = 'REQUEST' and d.state <> 'NOT_SENT')
           as announced
    from change_request c
    left join use_case u on u.id = c.use_case_id
    left join model_version f on f.id = c.from_version_id
    left join model_version v on v.id = c.version_id
    left join app_user p on p.id::text = c.closed_by
   where c.id = $1`;

const shownMetrics = 3;

const movesOf = ({ from, to }: FactRow): MetricMove[] =>
  Object.entries(to ?? {})
    .slice(0, shownMetrics)
    .map(([name, value]) => ({ name, from: from?.[name] ?? null, to: value }));

/** The tiers in which the policy lets people approve in Slack: the lowest, unless it says otherwise. */
const approvableTiers = async (db: ReadDb): Promise<readonly RiskTier[]> =>
  (await policyInForce(db)).document.slackApproval ?? ['LOW'];

export const slackFacts = defineQuery({
  name: 'slackMessage.facts',
  describe: 'What a message about a request shows beside the request itself.',
  permission: 'slack:read',
  input: z.object({ changeRequestId: z.uuid() }),
  handle: async ({ db, input: { changeRequestId } }): Promise<SlackFacts> => {
    const [row] = await db.sql<FactRow>(facts, [changeRequestId]);
    if (!row) throw notFound('The change request');
    const tiers = await approvableTiers(db);
    const message = await db.findOne(SlackMessage, { changeRequestId });
    return {
      riskTier: row.riskTier,
      // Only the manifest of a move of an alias is bound to the tier; the others are never approved in Slack.
      approvable: row.kind === 'ALIAS' && row.riskTier !== null && tiers.includes(row.riskTier),
      metrics: movesOf(row),
      decisions: await readApprovals(db, [changeRequestId]),
      closedByName: row.closedByName,
      message: message && { channel: message.channel, ts: message.ts, shownSha256: message.shownSha256 },
      announced: row.announced,
      settings: await settingsIn(db),
    };
  },
});

export const slackSettings = defineQuery({
  name: 'slackSetting.read',
  describe: 'How the workspace uses Slack.',
  permission: 'slack:read',
  input: z.object({}),
  handle: ({ db }): Promise<SlackSettings> => settingsIn(db),
});

/** Something that was to be sent, as shown. */
export interface SlackDeliveryView {
  readonly id: string;
  readonly kind: string;
  readonly changeRequestId: string | null;
  readonly state: SlackDeliveryState;
  readonly attempts: number;
  readonly reason: string | null;
  readonly createdAt: Date;
  readonly settledAt: Date | null;
}

export const listSlackDeliveries = defineQuery({
  name: 'slackDelivery.list',
  describe: 'What was told in Slack about requests, what waits, and what could not be told; newest first.',
  permission: 'slack:read',
  input: z.object({ ...pageInput, changeRequestId: z.uuid().nullish() }),
  handle: async ({ db, input }): Promise<Page<SlackDeliveryView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<SlackDeliveryView>(
      `select id, content->>'kind' as kind, change_request_id as "changeRequestId", state, attempts, reason,
              created_at as "createdAt", settled_at as "settledAt"
         from slack_delivery
        where ($1::uuid is null or id < $1::uuid) and ($2::uuid is null or change_request_id = $2::uuid)
        order by id desc limit $3`,
      [after?.[0] ?? null, input.changeRequestId ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});
