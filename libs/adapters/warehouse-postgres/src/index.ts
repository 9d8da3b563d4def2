export type { WarehousePostgresSettings } from './config.js'
export { schemaScript } from './migrate.js'
export { PostgresWarehouse } from './postgres-warehouse.js'
