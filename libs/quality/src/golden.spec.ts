import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import type { Flag } from '#libs/model'
import { attenuatedSignal } from './attenuated.js'
import { compareFlags } from './flags.js'
import { flatLine } from './flat-line.js'
import type { LocationBounds } from './location.js'
import { location } from './location.js'
import type { Season } from './range.js'
import { climatology, grossRange } from './range.js'
import { rateOfChange } from './rate.js'
import type { Sample } from './sample.js'
import { spike } from './spike.js'

/** Arguments of the test, first instant and steps from it, values, flags of ioos_qc. */
type Case = readonly [unknown, string, string, string]

/** `5.25 _ 4`: an underscore where one is missing. */
const numbersOf = (text: string): (number | undefined)[] => text.split(' ').map(word => (word === '_' ? undefined : Number(word)))

const contentsOf = (name: string): { readonly cases: readonly unknown[] } =>
  JSON.parse(readFileSync(`libs/quality/test/vectors/${name}.json`, 'utf8')) as { readonly cases: readonly unknown[] }
const casesOf = (name: string): readonly Case[] => contentsOf(name).cases as readonly Case[]

function samplesOf(steps: string, values: string): Sample[] {
  const passed = numbersOf(steps)
  let at = 0
  return numbersOf(values).map((value, n) => ({ at: (at += passed[n]!), value }))
}

/** Cases that came out otherwise, with what came out. The file of a test holds the settings of that test. */
const others = (name: string, test: (samples: readonly Sample[], settings: never) => Flag[]): unknown[] =>
  casesOf(name).flatMap(one => {
    const [settings, steps, values, flags] = one
    const got = test(samplesOf(steps, values), settings as never).join('')
    return got === flags ? [] : [{ got, case: one }]
  })

describe('flags as ioos_qc gives them', () => {
  it('gross range', () => expect(others('gross-range', grossRange)).toEqual([]))
  it('spike', () => expect(others('spike', spike)).toEqual([]))
  it('rate of change', () => expect(others('rate-of-change', rateOfChange)).toEqual([]))
  it('flat line', () => expect(others('flat-line', flatLine)).toEqual([]))
  it('attenuated signal', () => expect(others('attenuated-signal', attenuatedSignal)).toEqual([]))
  it('climatology', () =>
    expect(others('climatology', (samples, { seasons }: { seasons: Season[] }) => climatology(samples, seasons))).toEqual([]))

  it('location', () => {
    const failed = casesOf('location').filter(([settings, longitudes, latitudes, flags]) => {
      const north = numbersOf(latitudes)
      const places = numbersOf(longitudes).map((longitude, n) => ({ longitude, latitude: north[n] }))
      return location(places, settings as LocationBounds).join('') !== flags
    })
    expect(failed).toEqual([])
  })

  it('compare', () => {
    const cases = contentsOf('compare').cases as readonly (readonly [readonly string[], string])[]
    const failed = cases.filter(
      ([flags, together]) => compareFlags(flags.map(text => [...text].map(flag => Number(flag) as Flag))).join('') !== together
    )
    expect(failed).toEqual([])
  })

  it('and there are enough of them, with every flag among them', () => {
    for (const name of ['gross-range', 'spike', 'rate-of-change', 'flat-line', 'attenuated-signal', 'climatology']) {
      const flags = casesOf(name).map(one => one[3])
      expect(flags.length).toBeGreaterThanOrEqual(200)
      expect([...new Set(flags.join(''))].sort().join('')).toMatch(/^12?349$/)
    }
  })
})
