import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { DAY, HOUR, type Reading } from '#libs/model'
import { loadRegistry } from '#libs/platform'
import { decodeReadings } from '#libs/wire'
import { writeEntries } from '../registry.js'
import { Dice } from './dice.js'
import { forwardStations, type Message, StationScript } from './script.js'

const NOW = Date.UTC(2026, 10, 24, 3, 5)

/** What each station sends in 400 messages, a tenth of a second apart. */
function messagesOf(seed: number): Message[][] {
  return forwardStations(6).map(station => {
    const script = new StationScript(station, new Dice(seed, station.entry.code))
    return Array.from({ length: 400 }, (_, n) => script.next(NOW + n * 100))
  })
}

/** As the server reads them, by station; throws where it would refuse anything. */
async function decoded(all: readonly (readonly Message[])[]): Promise<Reading[][][]> {
  const dir = await mkdtemp(join(tmpdir(), 'quantrac-forward-script-'))
  await writeEntries(
    dir,
    forwardStations(6).map(({ entry }) => entry)
  )
  const { stations, profiles } = await loadRegistry(dir, 'devices')
  await rm(dir, { recursive: true })
  return all.map((messages, index) => {
    const station = stations[index]
    const profile = profiles.get(station?.profile ?? '')
    if (!station || !profile) throw new Error(`no station ${index}`)
    return messages.map(({ payload }) => {
      const result = decodeReadings(profile, station, Buffer.from(payload), { receivedAt: NOW + 400 * 100, road: 'mqtt' })
      if (!result.ok || result.refused.length > 0) throw new Error(`refused: ${payload}`)
      return [...result.readings]
    })
  })
}

describe('StationScript', () => {
  it('says the same for the same seed, and something else for another', () => {
    expect(messagesOf(1)).toEqual(messagesOf(1))
    expect(messagesOf(1)).not.toEqual(messagesOf(2))
  })

  it('sends only what the server takes, and tells which readings these are', async () => {
    const all = messagesOf(3)
    const readings = await decoded(all)
    const points = readings.map(station => station.map(message => message.map(({ parameter, at }) => `${parameter}@${at}`).sort()))
    expect(points).toEqual(all.map(messages => messages.map(message => [...message.points].sort())))
  })

  it('sends everything that can change an aggregate', async () => {
    const all = messagesOf(4)
    const readings = (await decoded(all)).flat()
    const messages = all.flat()
    const of = (what: Message['what']) => readings.filter((_, n) => messages[n]?.what === what).flat()
    const ages = of('late').map(({ at }) => NOW - at)
    for (const [least, most] of [
      [HOUR, DAY],
      [2 * DAY, 30 * DAY],
      [39 * DAY, 41 * DAY]
    ] as const)
      expect(ages.filter(age => age > least && age < most).length).toBeGreaterThan(20)
    expect(of('backfill').length).toBeGreaterThan(500)
    expect(of('duplicate').length).toBeGreaterThan(100)
    expect(new Set(readings.flat().map(({ status }) => status))).toEqual(new Set(['00', '01', '02']))
    expect(Math.max(...of('correction').map(({ revision }) => revision))).toBeGreaterThan(1)
  })

  it('gives a correction the next revision, a conflict the same with another value, a repetition nothing new', () => {
    const wrong: string[] = []
    for (const messages of messagesOf(5)) {
      const highest = new Map<string, number>()
      const payloads = new Set<string>()
      for (const { what, payload, points } of messages) {
        const { revision = 0 } = JSON.parse(payload) as { revision?: number }
        const before = points.map(point => highest.get(point))
        const expected = what === 'correction' ? revision - 1 : what === 'conflict' ? revision : null
        if (expected !== null && before.some(found => found !== expected)) wrong.push(`${what} ${payload}`)
        if (payloads.has(payload) !== (what === 'duplicate')) wrong.push(`${what} ${payload}`)
        payloads.add(payload)
        if (what !== 'duplicate') for (const point of points) highest.set(point, revision)
      }
    }
    expect(wrong).toEqual([])
  })
})
