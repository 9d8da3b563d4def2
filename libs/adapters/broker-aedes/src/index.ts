export { AedesBroker } from './broker.js'
export { BrokerError, type BrokerErrorCode, REFUSAL_REASONS, type RefusalReason } from './errors.js'
export { type BrokerOptions, DEFAULT_LIMITS, type Inbound, type Limits } from './options.js'
export type { BrokerStats } from './stats.js'
