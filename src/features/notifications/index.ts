export { Delivery } from './delivery.entity.js';
export { InboxItem } from './inbox-item.entity.js';
export { News } from './news.entity.js';
export { NotificationAddress } from './notification-address.entity.js';
export { NotificationPreference } from './notification-preference.entity.js';
export { Notification } from './notification.entity.js';
/** Writes down that people were told, or why not. */
export { recordNotification } from './notifications.commands.js';
export { setSlackAddress } from './notifications.commands/inbox.js';
/** Tells the configured channel of something, once per command. */
export { tellChannel } from './notifications.jobs/tell-channel.js';
export { tellOfChange } from './notifications.jobs/tell-of-changes.js';
export { WebhookSecret } from './webhook-secret.entity.js';
export { Webhook } from './webhook.entity.js';
