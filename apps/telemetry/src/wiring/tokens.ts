/** Injection tokens of the parts that are interfaces or come from a factory. */
export const STORE = Symbol('time series store')
export const STATIONS = Symbol('stations')
export const STATE = Symbol('state')
export const LIVE = Symbol('live readings')
export const METRICS = Symbol('metrics')
export const INGEST = Symbol('ingest ports')
export const HEALTH = Symbol('health')
export const ALARM_EVENTS = Symbol('alarm events')
