export { Notification } from './notification.entity.js';
/** Writes down that people were told, or why not. */
export { recordNotification } from './notifications.commands.js';
