import { describe, expect, it } from '@jest/globals'
import { auditAlarms, auditReadings } from './audit.js'
import { NumberSet } from './number-set.js'
import { instantOf, type Numbered, valueIn } from './numbered.js'

const BASE = 1_764_000_000_000
const station: Numbered = { station: 'KILL-001', index: 0, base: BASE }

interface Row {
  at: number
  value: number
}

/** A server that has messages 0 … count - 1, and then whatever was done to its rows. */
function server(count: number, change: (rows: { Flow: Row[]; COD: Row[] }) => void = () => undefined) {
  const rows = (parameter: 'Flow' | 'COD'): Row[] =>
    Array.from({ length: count }, (_, n) => ({ at: instantOf(station, n), value: valueIn(station, parameter, n) }))
  const series = { Flow: rows('Flow'), COD: rows('COD') }
  change(series)
  return {
    async *readings(_station: string, parameter: string) {
      yield* series[parameter as 'Flow' | 'COD']
    }
  }
}

function account(sent: number, acknowledged = sent) {
  const numbers = new NumberSet()
  for (let n = 0; n < acknowledged; n++) numbers.add(n)
  return { acknowledgedOf: () => numbers, sentOf: () => sent }
}

describe('auditReadings', () => {
  it('finds nothing wrong where all is there once', async () => {
    expect(await auditReadings(server(200), [station], account(200))).toEqual({ stored: 200, lost: 0, surplus: 0 })
  })

  it('does not miss what was not acknowledged', async () => {
    expect(await auditReadings(server(190), [station], account(200, 190))).toEqual({ stored: 190, lost: 0, surplus: 0 })
  })

  it('counts an acknowledged message as lost when one of its readings is missing', async () => {
    const torn = server(200, ({ Flow, COD }) => {
      Flow.splice(7, 1)
      COD.splice(7, 2)
    })
    expect(await auditReadings(torn, [station], account(200))).toEqual({ stored: 198, lost: 2, surplus: 0 })
  })

  it('counts a reading that stands twice, one with another value, and one that nobody sent', async () => {
    const twice = server(200, ({ Flow }) => void Flow.push(Flow[3] as Row))
    expect(await auditReadings(twice, [station], account(200))).toMatchObject({ surplus: 1, lost: 0 })
    const other = server(200, ({ COD }) => {
      COD[3] = { at: instantOf(station, 3), value: 41 }
    })
    expect(await auditReadings(other, [station], account(200))).toEqual({ stored: 199, lost: 1, surplus: 1 })
    const ahead = server(201)
    expect(await auditReadings(ahead, [station], account(200))).toMatchObject({ stored: 200, surplus: 2 })
    const between = server(200, ({ Flow }) => void Flow.push({ at: BASE + 500, value: 0.5 }))
    expect(await auditReadings(between, [station], account(200))).toMatchObject({ surplus: 1 })
  })
})

describe('auditAlarms', () => {
  const raised = { id: 'a:raised', kind: 'raised' }
  const cleared = { id: 'a:cleared', kind: 'cleared' }
  const [up, down] = [raised.id, cleared.id]

  it('is content when each transition arrived under one key', () => {
    expect(auditAlarms([raised, cleared], [down, up], [station], account(130))).toEqual({
      transitions: 2,
      delivered: 2,
      missing: 0,
      unexpected: 0,
      raised: 1,
      expectedRaised: 1
    })
  })

  it('tells what never arrived, what came under two keys and what is in no history', () => {
    expect(auditAlarms([raised, cleared], [up, up, 'b:raised'], [station], account(10))).toMatchObject({
      missing: 1,
      unexpected: 2,
      expectedRaised: 0
    })
  })

  it('tells a transition that was recorded twice', () => {
    expect(auditAlarms([raised, raised], [up, up], [], account(0))).toMatchObject({ missing: 0, unexpected: 1, raised: 2 })
  })
})
