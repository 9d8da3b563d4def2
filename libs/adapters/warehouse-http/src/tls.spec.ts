import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals'
import { WarehouseReceiver } from '#libs/test-servers'
import { plainAggregate, type TempDir, TestCertificates, tempDir } from '#libs/testkit'
import type { ClientTls } from './exchange.js'
import { HttpWarehouse } from './http-warehouse.js'

const never = new AbortController().signal
let dir: TempDir
let made: TestCertificates
let mutual: WarehouseReceiver
const sinks: HttpWarehouse[] = []

beforeAll(async () => {
  dir = await tempDir()
  made = await TestCertificates.in(dir.path)
  const { cert, key } = made.server
  const args = ['--tls-cert', cert, '--tls-key', key, '--client-ca', made.ca]
  mutual = await WarehouseReceiver.start(dir, args, { secret: '' })
})
afterAll(async () => {
  await mutual.stop()
  await dir.remove()
})
afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.close()
})

async function clientTls(name: string, authority = made): Promise<ClientTls> {
  const { cert, key } = await authority.client(name)
  return { secureOptions: { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(made.ca) } }
}
function send(tls: ClientTls) {
  const sink = new HttpWarehouse({ url: mutual.url }, { tls })
  sinks.push(sink)
  return sink.send([plainAggregate()], never)
}

it('a client certificate is enough to be known, without a token', async () => {
  expect(await send(await clientTls('quantrac'))).toMatchObject({ outcome: 'answered' })
})

it('a certificate of another authority is a retry, and nothing is stored', async () => {
  const others = await TestCertificates.in(join(dir.path, 'others'), { name: 'another authority' })
  const before = await mutual.stats()
  expect(await send(await clientTls('quantrac', others))).toMatchObject({ outcome: 'retry' })
  expect(await mutual.stats()).toEqual(before)
})

it('a warehouse whose certificate is of an unknown authority gets nothing', async () => {
  const { secureOptions } = await clientTls('quantrac')
  const { ca: _ca, ...own } = secureOptions
  expect(await send({ secureOptions: own })).toEqual({ outcome: 'retry', reason: expect.stringMatching(/certificate|CERT/) })
})

it('a certificate that was renewed is taken with the next request', async () => {
  let current = await clientTls('old')
  const sink = new HttpWarehouse(
    { url: mutual.url },
    {
      tls: {
        get secureOptions() {
          return current.secureOptions
        }
      }
    }
  )
  sinks.push(sink)
  expect(await sink.send([plainAggregate()], never)).toMatchObject({ outcome: 'answered' })
  const others = await TestCertificates.in(join(dir.path, 'strangers'), { name: 'a stranger' })
  current = await clientTls('new', others)
  expect(await sink.send([plainAggregate()], never)).toMatchObject({ outcome: 'retry' })
  current = await clientTls('new')
  expect(await sink.send([plainAggregate()], never)).toMatchObject({ outcome: 'answered' })
})
