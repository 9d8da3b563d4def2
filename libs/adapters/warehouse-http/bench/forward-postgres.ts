/**
 * The same rows into a real PostgreSQL, with every commit on its disk:
 * `node dist/libs/adapters/warehouse-http/bench/forward-postgres.js [items] [batch]`.
 */
import { PostgresWarehouse } from '#libs/adapters/warehouse-postgres'
import { startPostgres } from '#libs/test-servers'
import { compare, forward } from './measure.js'

const count = Number(process.argv[2] ?? 200_000)
const maxItems = Number(process.argv[3] ?? 1_000)
const server = await startPostgres({ fsync: true })
if ('absent' in server) throw new Error(server.absent)
const sink = new PostgresWarehouse({ url: await server.database(), plain: 'anywhere', maxItems })
try {
  for (const revision of [0, 0, 1]) await forward(sink, count, revision)
  await compare(sink, count)
} finally {
  await sink.close()
  await server.dispose()
}
