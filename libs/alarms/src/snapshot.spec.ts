import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { COD_90, feed, reading, rulesFor, slot, station } from '../test/fixtures.js'
import { ByteReader, ByteWriter } from './bytes.js'
import { Engine } from './engine.js'
import { SnapshotError } from './snapshot.js'

function filled(): Engine {
  const engine = new Engine(
    rulesFor([COD_90, { ...COD_90, id: 'ph', parameter: 'pH', high: 9, low: 6, unit: '-' }], [station('AG-X'), station('AG-Y')])
  )
  feed(engine, [50, 95, 96, 40, 40, 95, 99])
  const more = [reading('AG-Y', slot(0), 5, { parameter: 'pH', unit: '-', revision: 700 }), reading('AG-Y', slot(1), 5, { status: '01' })]
  engine.apply(90, { station: 'AG-Y', receivedAt: slot(1), readings: more })
  engine.tick(slot(5) + 1)
  return engine
}

describe('a snapshot', () => {
  it('gives the same engine back: readings, episodes, revisions, silences and rules', () => {
    const engine = filled()
    const restored = Engine.restore(engine.serialize())
    expect(Buffer.compare(restored.serialize(), engine.serialize())).toBe(0)
    expect(restored.episodes('AG-X', 'COD')).toEqual(engine.episodes('AG-X', 'COD'))
    expect(restored.rules.fingerprint).toBe(engine.rules.fingerprint)
    expect(restored.heardAt('AG-Y')).toBe(slot(1))
    expect(restored.standingSilences()).toEqual(engine.standingSilences())
    const outdated = [reading('AG-Y', slot(0), 7, { parameter: 'pH', unit: '-', revision: 699 })]
    restored.apply(91, { station: 'AG-Y', receivedAt: slot(1), readings: outdated })
    expect(restored.stats()).toMatchObject({ outdated: 1, series: 3 })
  })

  it('keeps the horizon of a window that has let go of its oldest readings, and the alarm that reaches behind it', () => {
    const limits = { least: 200, most: 400, budget: 1 }
    const engine = new Engine(rulesFor([COD_90]), limits)
    const [raised] = feed(engine, Array<number>(2_000).fill(95))
    const restored = Engine.restore(engine.serialize(), limits)
    restored.apply(9_000, { station: 'AG-X', receivedAt: slot(1), readings: [reading('AG-X', slot(3), 50, { revision: 9 })] })
    expect(restored.stats()).toMatchObject({ tooLate: 1, windowReadings: engine.stats().windowReadings })
    expect(feed(restored, [40, 40], 2_000)).toMatchObject([{ kind: 'cleared', alarm: { id: raised!.alarm.id } }])
  })

  it('of an empty engine is an empty engine', () => {
    const restored = Engine.restore(new Engine(rulesFor([COD_90])).serialize())
    expect(restored.stats()).toMatchObject({ series: 0, windowReadings: 0, openAlarms: 0 })
  })

  it('is refused with its code when any byte of it is damaged, when it is cut off, and when it is of another version', () => {
    const bytes = filled().serialize()
    const refused = (damaged: Uint8Array) => {
      const restore = () => Engine.restore(damaged)
      expect(restore).toThrow(SnapshotError)
      expect(restore).toThrow(expect.objectContaining({ code: 'QT_ALARM_SNAPSHOT' }))
    }
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Uint8Array.from(bytes)
        damaged[at] = damaged[at]! ^ flip
        refused(damaged)
      })
    )
    fc.assert(fc.property(fc.nat(bytes.length - 1), length => refused(bytes.slice(0, length))))
    const other = new ByteWriter()
    other.text('quantrac-alarms')
    other.count(2)
    refused(other.finish())
  })
})

describe('bytes', () => {
  it('carry many numbers at once, to a machine of the same byte order only', () => {
    const out = new ByteWriter()
    out.text('ab')
    out.order()
    const values = Float64Array.of(1.5, NaN, -Infinity, 2 ** 53)
    out.numbers(values)
    const source = new ByteReader(out.finish())
    expect(source.text()).toBe('ab')
    source.order()
    expect(source.numbers(4)).toEqual(values)
    const swapped = new ByteWriter()
    swapped.numbers(new Float64Array(new Uint8Array(Float64Array.of(Math.PI).buffer).reverse().buffer))
    expect(() => new ByteReader(swapped.finish()).order()).toThrow(RangeError)
  })

  it('come back as they went in, at any place of a larger buffer', () => {
    const items = fc.array(fc.oneof(fc.maxSafeNat(), fc.double(), fc.string({ unit: 'binary' })), { maxLength: 50 })
    fc.assert(
      fc.property(items, fc.nat(9), (values, offset) => {
        const out = new ByteWriter()
        for (const value of values) {
          if (typeof value === 'string') out.text(value)
          else if (Number.isSafeInteger(value) && !Object.is(value, -0) && value >= 0) out.count(value)
          else out.number(value)
        }
        const bytes = out.finish()
        const larger = new Uint8Array(bytes.length + offset)
        larger.set(bytes, offset)
        const source = new ByteReader(larger.subarray(offset))
        const back = values.map(value => {
          if (typeof value === 'string') return source.text()
          return Number.isSafeInteger(value) && !Object.is(value, -0) && value >= 0 ? source.count() : source.number()
        })
        expect(back).toEqual(values)
      })
    )
  })
})
