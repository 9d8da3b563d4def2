import { describe, expect, it } from '@jest/globals'
import { StubBroker, until } from '../../test/stub-broker.js'
import { Fleet } from './fleet.js'
import type { FleetStation } from './fleet-station.js'
import { parseScenario } from './scenario.js'

const station = (code: string): FleetStation & { secret: string } => ({
  code,
  kind: 'pond',
  dialect: 'quantrac-json',
  zoneless: false,
  textNumbers: false,
  parameters: [{ code: 'DO', unit: 'mg/L', decimals: 2, min: 0, max: 20 }],
  secret: `s-${code}`
})

describe('Fleet', () => {
  it('plays every station under its own name and accounts for what was acknowledged', async () => {
    const broker = await StubBroker.listen({ accepts: ({ username, password }) => String(password) === `s-${username}` })
    const scenario = parseScenario('name: t\nseed: 1\neveryMs: 50\nstations:\n  AG-T2: { batch: 2 }', 'file')
    const events: string[] = []
    const fleet = new Fleet(
      { url: broker.url, scenario, stations: ['AG-T1', 'AG-T2', 'AG-T3'].map(station), clock: Date.now },
      { event: (code, what) => events.push(`${code} ${what}`) }
    )
    fleet.start()
    await until('some messages of each', () => Object.keys(fleet.acknowledged()).length === 3 && fleet.counts().acknowledged > 20)
    expect(fleet.counts()).toMatchObject({ stations: 3, connected: 3, dropped: 0 })
    await fleet.stop()
    const { published, acknowledged } = fleet.counts()
    const readings = broker.messages.filter(m => m.topic.endsWith('/readings'))
    await broker.close()

    expect(events.toSorted()).toEqual(['AG-T1 online', 'AG-T2 online', 'AG-T3 online'])
    expect(published).toBe(readings.length)
    expect(acknowledged).toBeLessThanOrEqual(published)
    expect(readings.every(m => m.topic === `quantrac/v1/${m.clientId}/readings`)).toBe(true)
    const batches = readings.filter(m => m.clientId === 'AG-T2').map(m => (JSON.parse(m.payload) as unknown[]).length)
    expect(new Set(batches)).toEqual(new Set([2]))
    expect(fleet.acknowledged()['AG-T2/DO']?.count).toBeGreaterThan(0)
    expect(broker.retained.get('quantrac/v1/AG-T1/status')).toBe('offline')
  })
})
