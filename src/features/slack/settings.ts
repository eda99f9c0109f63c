import type { ReadDb } from '../../kernel/db.js';
import { SlackSetting } from './slack-setting.entity.js';

/** How a workspace uses Slack. */
export type SlackSettings = Pick<
  SlackSetting,
  'channel' | 'remindAfterHours' | 'escalateAfterHours' | 'escalationChannel' | 'escalationRole'
>;

/** What holds while a workspace has set nothing. */
const defaults: SlackSettings = {
  channel: null,
  remindAfterHours: 24,
  escalateAfterHours: 72,
  escalationChannel: null,
  escalationRole: null,
};

/** The settings of the workspace. */
export const settingsIn = async (db: ReadDb): Promise<SlackSettings> => {
  const [row] = await db.find(SlackSetting, { take: 1 });
  if (!row) return defaults;
  const { channel, remindAfterHours, escalateAfterHours, escalationChannel, escalationRole } = row;
  return { channel, remindAfterHours, escalateAfterHours, escalationChannel, escalationRole };
};
