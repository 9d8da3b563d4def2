import { describe, expect, it } from '@jest/globals'
import type { ReviewReason } from '#libs/aggregates'
import type { Reading } from '#libs/model'
import { DAY, MINUTE } from '#libs/model'
import type { ReviewedCalibration } from '#libs/pipeline'
import { BEGIN, plainReading } from '#libs/testkit'
import { CalibrationWatch } from './calibration-watch.js'

const SERIES = { station: 'AG-017', parameter: 'COD' }

/** The board of newest readings and the reviews as a test sets them. */
class World {
  now = BEGIN
  newest: Reading[] = []
  found: ReviewedCalibration[] = []
  fails = false
  readonly told: string[] = []
  readonly log: string[] = []
  readonly watch: CalibrationWatch

  constructor() {
    const say = (fields: object, text: string) => void this.log.push(`${text} ${JSON.stringify(fields)}`)
    this.watch = new CalibrationWatch({
      stations: new Map(),
      newest: { latest: async () => this.newest },
      reviews: {
        find: async ({ parameter }, { from, to }) => {
          if (this.fails) throw new Error('the store is away')
          return this.found.filter(one => one.parameter === parameter && one.start >= from && one.start < to)
        }
      },
      clock: () => this.now,
      log: { info: say, warn: say, error: say }
    })
    this.watch.subscribe(({ start, reasons }) => this.told.push(`${(start - BEGIN) / MINUTE} ${reasons.join()}`))
  }

  reads(status: string): void {
    this.newest = [plainReading({ ...SERIES, at: this.now, status })]
  }

  reviewed(minutes: number, ...reasons: ReviewReason[]): void {
    const times = { start: BEGIN + minutes * MINUTE, end: BEGIN + (minutes + 10) * MINUTE, readings: 2 }
    this.found.push({ ...SERIES, ...times, reasons, exceededAt: null, exceedingMeanwhile: 0, inDay: 1 })
  }
}

describe('CalibrationWatch', () => {
  it('tells of one that is to be reviewed once, and again when there is one more reason', async () => {
    const world = new World()
    await world.watch.look()
    world.now += 5 * MINUTE
    world.reads('01')
    world.reviewed(4, 'after-exceedance')
    await world.watch.look()
    await world.watch.look()
    expect(world.told).toEqual(['4 after-exceedance'])
    expect(world.log).toEqual(['calibration to be reviewed {"station":"AG-017","parameter":"COD","reasons":["after-exceedance"]}'])
    world.found = []
    world.reviewed(4, 'after-exceedance', 'too-long')
    world.now += 60 * MINUTE
    // It has ended by now: its last look is still owed.
    world.reads('00')
    await world.watch.look()
    expect(world.told).toEqual(['4 after-exceedance', '4 after-exceedance,too-long'])
  })

  it('says nothing of ordinary ones, nor of those that were there when it started', async () => {
    const world = new World()
    world.reads('01')
    world.reviewed(-10, 'too-often')
    await world.watch.look()
    world.reviewed(1)
    world.now += 2 * MINUTE
    await world.watch.look()
    expect(world.told).toEqual([])
  })

  it('looks at nothing but what is or was calibrating, and goes on after a failure', async () => {
    const world = new World()
    await world.watch.look()
    world.reads('00')
    world.reviewed(-1, 'too-long')
    await world.watch.look()
    expect(world.told).toEqual([])
    world.reads('01')
    world.fails = true
    await world.watch.look()
    expect(world.log.at(-1)).toContain('looking for calibrations to be reviewed: the store is away')
    world.fails = false
    await world.watch.look()
    expect(world.told).toEqual(['-1 too-long'])
    world.now += 3 * DAY
    await world.watch.look()
    expect(world.told).toHaveLength(1)
  })
})
