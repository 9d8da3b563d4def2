import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { State } from '#libs/adapters/state'
import type { WrittenAggregate } from '#libs/adapters/store-influx'
import { DEFAULT_TERMS } from '#libs/aggregates'
import { acknowledge, mergeAlarm } from '#libs/alarms'
import type { Published, SeriesTerms, TermsOf } from '#libs/pipeline'
import { plainAggregate } from '#libs/testkit'
import { AggregatePages } from './aggregate-pages.js'

const HOUR = 3_600_000

describe('AggregatePages', () => {
  let dataDir: string
  let state: State
  let sent: WrittenAggregate[]
  let away: boolean
  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'quantrac-pages-'))
    state = await State.open({ dataDir, life: { mergeAlarm, acknowledge } })
    sent = []
    away = false
  })
  afterEach(async () => {
    await state.close()
    rmSync(dataDir, { recursive: true })
  })

  const flow: SeriesTerms = { unit: 'mg/L', terms: DEFAULT_TERMS, flow: { parameter: 'Flow', factor: 1 } }
  const termsOf: TermsOf = ({ parameter }) => (parameter === 'COD' ? flow : { ...flow, flow: null })
  const open = () =>
    new AggregatePages({
      aggregates: state.aggregates,
      termsOf,
      target: {
        write: async page => {
          if (away) throw new Error('nobody answers')
          sent.push(...page)
        }
      }
    })
  const publish = (ends: readonly number[], differences: Parameters<typeof plainAggregate>[0] = {}) =>
    state.aggregates.publish(
      ends.map((n): Published => {
        const { station, parameter, unit, revision: _, algorithm: __, ...summary } = plainAggregate({ end: n * HOUR, ...differences })
        const { period, start, end } = summary
        return { mark: { station, parameter, period, start, end, dueAt: 0, sequence: 0 }, unit, summary, values: null }
      })
    )
  const told = () => sent.splice(0).map(({ aggregate: { end, revision }, mayHaveLost }) => [end / HOUR, revision, mayHaveLost])

  it('passes each publication on once, in order, over restarts and silences', async () => {
    await publish([3, 1, 2], { sum: 1 })
    const pages = open()
    expect(await pages.pass()).toBe(false)
    expect(told()).toEqual([3, 1, 2].map(n => [n, 1, false])) // as they were published
    await publish([1], { sum: 2 })
    away = true
    await expect(pages.pass()).rejects.toThrow('nobody answers')
    away = false
    await publish([4], { sum: 1 })
    await open().pass()
    expect(told()).toEqual([
      [1, 2, false],
      [4, 1, false]
    ])
    await open().pass()
    expect(told()).toEqual([])
  })

  it('says where a figure may be gone: a mean, or the load of a series that has one', async () => {
    await publish([1], { sum: 2 })
    await publish([1], { sum: null })
    await publish([1, 2], { parameter: 'pH', sum: null })
    await publish([1], { parameter: 'pH', sum: null, mean: 1 })
    await publish([2], { parameter: 'pH', sum: null, mean: null })
    await open().pass()
    expect(sent.map(({ aggregate: { parameter, end }, mayHaveLost }) => [parameter, end / HOUR, mayHaveLost])).toEqual([
      ['COD', 1, true],
      ['pH', 1, false],
      ['pH', 2, true]
    ])
  })

  it('says that there is more after ten pages', async () => {
    const ends = [...Array(10_001).keys()].map(n => n + 1)
    await publish(ends)
    const pages = open()
    expect(await pages.pass()).toBe(true)
    expect(sent).toHaveLength(10_000)
    expect(await pages.pass()).toBe(false)
    expect(sent).toHaveLength(10_001)
  })
})
