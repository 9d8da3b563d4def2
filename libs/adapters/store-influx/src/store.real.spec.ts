import { afterAll, describe } from '@jest/globals'
import { described, startInflux } from '#libs/test-servers'
import { timeSeriesStoreSuite } from '#libs/testkit'
import { freshBuckets } from '../test/buckets.js'
import { InfluxStore } from './store.js'

const found = await startInflux()

described(describe, { kind: 'influx', name: 'InfluxStore on a real InfluxDB', found }, server => {
  afterAll(() => server.dispose())
  timeSeriesStoreSuite(
    'InfluxStore',
    async () => {
      const { bucket, token } = await freshBuckets(server)
      const { url, org } = server
      let store = await InfluxStore.open({ url, org, bucket, token })
      return {
        store,
        reopen: async () => {
          await store.close()
          store = await InfluxStore.open({ url, org, bucket, token })
          return store
        },
        dispose: async () => {
          await store.close()
        }
      }
    },
    { effort: 0.2 }
  )
})
