export type { Absent } from './absent.js'
export { described } from './absent.js'
export type { InfluxServer } from './influx.js'
export { startInflux } from './influx.js'
