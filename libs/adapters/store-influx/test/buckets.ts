import { randomUUID } from 'node:crypto'
import type { InfluxServer } from '#libs/test-servers'
import type { SetupOptions } from '../src/setup.js'
import { setupInflux } from '../src/setup.js'

/** Buckets of one test, with the token that the product gets: what passes with it needs no more rights. */
export interface TestBuckets {
  readonly bucket: string
  readonly token: string
}

export async function freshBuckets(
  server: Pick<InfluxServer, 'url' | 'org' | 'token'>,
  retention: SetupOptions['retention'] = { readings: 0 }
): Promise<TestBuckets> {
  const bucket = `t-${randomUUID().slice(0, 13)}`
  const { token } = await setupInflux({
    url: server.url,
    org: server.org,
    bucket,
    adminToken: server.token,
    retention,
    rotate: true
  })
  return { bucket, token: token ?? '' }
}
