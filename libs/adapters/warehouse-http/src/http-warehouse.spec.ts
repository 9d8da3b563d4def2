import { WarehouseReceiver } from '#libs/test-servers'
import { tempDir, warehouseSinkSuite } from '#libs/testkit'
import { toAggregate } from '../test/to-aggregate.js'
import { HttpWarehouse } from './http-warehouse.js'

warehouseSinkSuite('HttpWarehouse', async () => {
  const dir = await tempDir()
  const receiver = await WarehouseReceiver.start(dir)
  const sink = new HttpWarehouse(receiver.settings())
  return {
    sink,
    rows: async () => (await receiver.rows()).map(toAggregate),
    dispose: async () => {
      await sink.close()
      await receiver.stop()
      await dir.remove()
    }
  }
})
