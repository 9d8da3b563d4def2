import { tempDir, timeSeriesStoreSuite } from '#libs/testkit'
import { SqliteStore } from './store.js'

timeSeriesStoreSuite('SqliteStore', async () => {
  const dir = await tempDir()
  let store = await SqliteStore.open({ dataDir: dir.path })
  return {
    store,
    reopen: async () => {
      await store.close()
      store = await SqliteStore.open({ dataDir: dir.path })
      return store
    },
    dispose: async () => {
      await store.close()
      await dir.remove()
    }
  }
})
