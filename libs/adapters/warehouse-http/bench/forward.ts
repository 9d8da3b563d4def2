/**
 * How fast aggregates go to the receiver over loopback: `node dist/libs/adapters/warehouse-http/bench/forward.js [items] [batch]`. The
 * receiver is `simulators/warehouse` as a process of its own, with every batch on its disk before it answers. CPU is that of
 * this process. Nothing is asserted.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WarehouseReceiver } from '#libs/test-servers'
import { HttpWarehouse } from '../src/http-warehouse.js'
import { compare, forward } from './measure.js'

const count = Number(process.argv[2] ?? 200_000)
const batch = Number(process.argv[3] ?? 1_000)
const path = await mkdtemp(join(tmpdir(), 'quantrac-bench-'))
const receiver = await WarehouseReceiver.start({ path }, ['--max-items', String(batch)])
const sink = new HttpWarehouse(receiver.settings({ maxItems: batch }))
try {
  for (const revision of [0, 0, 1]) await forward(sink, count, revision)
  await compare(sink, count)
} finally {
  await sink.close()
  await receiver.stop()
  await rm(path, { recursive: true })
}
