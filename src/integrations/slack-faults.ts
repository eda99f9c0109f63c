import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
} from '@slack/web-api';
import { AppError } from '../kernel/errors.js';
import { SlackTrouble } from '../kernel/slack-app.js';

/** How to put right what Slack refuses. */
const remedies: Readonly<Record<string, string>> = {
  invalid_auth: 'the token is not valid; set SLACK_BOT_TOKEN to a bot token of the workspace',
  token_revoked: 'the token was revoked; install the app again and set SLACK_BOT_TOKEN',
  channel_not_found: 'the channel was not found; check SLACK_CHANNEL and invite the app into it',
  not_in_channel: 'the app is not in the channel; invite it',
  is_archived: 'the channel is archived; choose another one with SLACK_CHANNEL',
  missing_scope: 'the token may not do this; give the app the scopes of docs/slack.md',
};

/** What Slack answers with 200 while it is the one that is in trouble. */
const passing = new Set(['internal_error', 'fatal_error', 'request_timeout', 'service_unavailable']);

/** What can be said of a refusal: how to put it right. */
export const refusedBySlack = (reason: string): AppError => {
  const remedy = remedies[reason] ?? reason;
  return new AppError('PRECONDITION_FAILED', `Slack refused the message: ${remedy}`, { slack: reason });
};

/** Tells apart what Slack refuses for good and what passes by itself. */
export const faultOf = (error: unknown): unknown => {
  if (error instanceof WebAPIRateLimitedError) {
    return new SlackTrouble(`Slack asks to wait ${String(error.retryAfter)} s`, error.retryAfter, false);
  }
  if (error instanceof WebAPIPlatformError) {
    const reason = error.data.error;
    return passing.has(reason)
      ? new SlackTrouble(`Slack says ${reason}`, null, true)
      : refusedBySlack(reason);
  }
  if (error instanceof WebAPIHTTPError || error instanceof WebAPIRequestError) {
    return new SlackTrouble('Slack could not be reached', null, true);
  }
  return error;
};
