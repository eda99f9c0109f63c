export { Notification } from './notification.entity.js';
