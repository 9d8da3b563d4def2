export type { Texts } from './message.js'
export type { WebhookOptions } from './webhook-notifier.js'
export { WebhookNotifier } from './webhook-notifier.js'
