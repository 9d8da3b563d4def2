export type { WarehouseHttpSettings } from './config.js'
export type { ClientTls } from './exchange.js'
export type { HttpWarehouseOptions } from './http-warehouse.js'
export { HttpWarehouse } from './http-warehouse.js'
