import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { type Bench, NOON, raised } from './fixtures.js'
import { ended, kill, killAll, startChild } from './processes.js'

const servers: Server[] = []

export function killSuite(bench: Bench): void {
  afterEach(async () => {
    await killAll()
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      server.close()
    }
    await bench.clear()
  })

  describe('kill -9', () => {
    it('in the midst of recording loses nothing that was kept, and keeps nothing by halves', async () => {
      const place = await bench.place()
      for (const lines of [1, 40, 90]) {
        const { child, lines: kept, said } = startChild('record', place)
        await said(lines)
        await kill(child)
        await bench.home.settled(place)
        const state = await bench.open(place)
        const cursor = await state.alarmLog.cursor()
        expect(cursor).toBeGreaterThanOrEqual(Number(kept.at(-1)))
        const { items } = await state.alarms.list({ limit: 1_000 })
        expect(items).toHaveLength((cursor + 1) >> 1)
        expect(items.filter(({ clearedAt }) => clearedAt !== null)).toHaveLength(cursor >> 1)
        expect((await state.outbox.stats()).pending).toBe(cursor)
        await state.close()
      }
    })

    it.each([
      ['after-send-before-mark', 1],
      ['after-outbox-before-send', 0]
    ])('%s: every message arrives, in order and with its key, %i of them twice', async (point, twice) => {
      const place = await bench.place()
      const { target, keys } = await receiver()
      const state = await bench.open(place)
      await state.recipients.add({ channel: 'webhook', target, language: null, minimumSeverity: 'tendency', stations: null })
      const transitions = Array.from({ length: 6 }, (_, index) => raised(`a${index}`, { raisedAt: NOON + index }))
      bench.now = Date.now()
      await state.alarmLog.record(transitions, 1)
      const expected: string[] = []

      const first = startChild('deliver', place, point, '4')
      await ended(first.child)
      expect(first.child.signalCode).toBe('SIGKILL')
      const cut = keys.length
      const second = startChild('deliver', place)
      while ((await state.outbox.stats()).pending > 0) await new Promise(resolve => setTimeout(resolve, 20))
      await kill(second.child)

      for (const key of keys) if (!expected.includes(key)) expected.push(key)
      expect(expected).toHaveLength(6)
      const again = keys.length - 6
      // PostgreSQL is told of a delivery over the network: the last one may be under way when the process dies.
      expect(bench.home.kind === 'file' ? [twice] : [twice, 1]).toContain(again)
      // The message at which the process died is the first that comes again.
      expect(keys).toEqual([...expected.slice(0, cut), ...expected.slice(cut - again)])
    })
  })
}

/** A real receiver that says 204, and the idempotency keys in the order in which they came. */
async function receiver(): Promise<{ target: string; keys: string[] }> {
  const keys: string[] = []
  const server = createServer((request: IncomingMessage, response) => {
    keys.push(String(request.headers['idempotency-key']))
    request.resume().on('end', () => response.writeHead(204).end())
  }).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return { target: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, keys }
}
