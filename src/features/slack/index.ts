export { SlackDelivery } from './slack-delivery.entity.js';
export { SlackLink } from './slack-link.entity.js';
export { SlackMessage } from './slack-message.entity.js';
export { SlackSetting } from './slack-setting.entity.js';
