import { afterEach, describe, expect, it } from '@jest/globals'
import { alarm, type Bench, cleared, codeOfRejection, NOON, raised } from './fixtures.js'

/** U+0000 and half a character cannot be kept everywhere. */
const shown = (text: string): string => Buffer.from(text.replace('\0', '\uFFFD')).toString()

export function openingSuite(bench: Bench): void {
  afterEach(() => bench.clear())

  describe('opening the state', () => {
    it('makes everything from nothing, and finds it again', async () => {
      const place = await bench.home.untouched()
      const state = await bench.open(place)
      const token = await state.tokens.add('dashboard', 'reader')
      await state.alarmLog.record([raised('a')], 7)
      await state.alarmLog.saveSnapshot(7, Uint8Array.of(1, 2, 3))
      await state.close()

      const again = await bench.open(place)
      expect(await again.tokens.find(token)).toEqual({ name: 'dashboard', role: 'reader' })
      expect(await again.alarmLog.cursor()).toBe(7)
      expect(await again.alarmLog.snapshot()).toEqual({ sequence: 7, bytes: Buffer.from([1, 2, 3]) })
      expect(await again.alarms.get('a')).toEqual(alarm('a'))
    })

    it('migrates once when several open an empty place at the same time', async () => {
      const place = await bench.home.untouched()
      const states = await Promise.all(Array.from({ length: 6 }, () => bench.open(place)))
      await Promise.all(states.map((state, index) => state.tokens.add(`t${index}`, 'reader')))
      expect(await states[0]!.tokens.list()).toHaveLength(6)
      const names = (await bench.home.query(place, 'select name from kysely_migration')).map(({ name }) => name)
      expect(names).toContain('0001-first')
      expect(new Set(names).size).toBe(names.length)
    })

    it('refuses what a newer version has written', async () => {
      const place = await bench.home.untouched()
      await (await bench.open(place)).close()
      await bench.home.query(place, "insert into kysely_migration values ('0099-future', '2030-01-01T00:00:00.000Z')")
      expect(await codeOfRejection(bench.open(place))).toBe('QT_STATE_NEWER')
    })

    it('migrates whole or not at all', async () => {
      const place = await bench.home.untouched()
      const state = await bench.open(place)
      await state.close()
      const first = ['credentials', 'tokens', 'recipients', 'cursors', 'snapshots', 'alarms', 'transitions', 'outbox']
      const ledger = ['ledger_receipts', 'ledger_outcomes', 'ledger_series', 'ledger_offline', 'ledger_uptime']
      const derived = ['aggregates', 'aggregate_marks', 'forward_items', 'forward_comparisons']
      const made = [...first, ...derived, ...ledger, 'corrections', 'correction_events', 'law_changes', 'law_applied']
      for (const table of [...made, 'kysely_migration']) await bench.home.query(place, `drop table ${table}`)
      // `refusals`, the last table that the first migration makes, is in its way.
      expect(await codeOfRejection(bench.open(place))).toBe('QT_STATE_FAILED')
      for (const table of made) await expect(bench.home.query(place, `select * from ${table}`)).rejects.toBeDefined()
      await bench.home.query(place, 'drop table refusals')
      await bench.open(place)
    })

    it('closes twice, and refuses work afterwards', async () => {
      const state = await bench.open(await bench.home.untouched())
      await state.close()
      await state.close()
      await expect(state.tokens.list()).rejects.toBeDefined()
    })
  })

  describe('several users of one state', () => {
    it('takes writes of two states and all kinds at once, and loses none', async () => {
      const place = await bench.place()
      const [one, two] = [await bench.open(place), await bench.open(place)]
      const seen = Array.from({ length: 20 }, (_, index) => raised(`seen-${index}`))
      await one.alarmLog.record(seen, 1)
      const work = Array.from({ length: 20 }, (_, index) => [
        one.alarmLog.record([raised(`new-${index}`), cleared(`new-${index}`, index)], 2 + index),
        two.alarms.acknowledge(`seen-${index}`, 'lan', null),
        one.credentials.set('AG-BINHHOA', `label ${index}`, String(index).padStart(64, '0')),
        two.refusals.record([], index)
      ])
      await Promise.all(work.flat())
      const { items } = await two.alarms.list({ limit: 1000 })
      expect(items.filter(({ state }) => state === 'acknowledged-active')).toHaveLength(20)
      expect(items.filter(({ state }) => state === 'rtn-unacknowledged')).toHaveLength(20)
      expect(await one.credentials.list('AG-BINHHOA')).toHaveLength(20)
      expect(await two.alarmLog.cursor()).toBe(21)
      expect(await one.refusals.cursor()).toBe(19)
    })

    it('gives positions without a gap or a double, whoever records and acknowledges', async () => {
      const place = await bench.place()
      const states = [await bench.open(place), await bench.open(place), await bench.open(place)]
      const first = Array.from({ length: 15 }, (_, index) => raised(`a${index}`))
      await states[0]!.alarmLog.record(first, 1)
      const work = first.flatMap((_, index) => [
        states[index % 3]!.alarmLog.record([cleared(`a${index}`, NOON + 1)], 2 + index),
        states[(index + 1) % 3]!.alarms.acknowledge(`a${index}`, 'lan', null, NOON + 2),
        states[(index + 2) % 3]!.alarmLog.record([raised(`b${index}`)], 2 + index)
      ])
      await Promise.all(work)
      const rows = await bench.home.query(place, 'select position from transitions order by position')
      expect(rows.map(({ position }) => Number(position))).toEqual(rows.map((_, index) => index + 1))
      expect(rows).toHaveLength(60)
      // Either order of clearing and acknowledging ends here, and neither is lost.
      for (let index = 0; index < 15; index += 1) {
        expect(await states[0]!.alarms.get(`a${index}`)).toMatchObject({ state: 'normal', clearedAt: NOON + 1, acknowledgedBy: 'lan' })
      }
    })

    it('keeps each target’s messages in the order in which their transitions became visible', async () => {
      const place = await bench.place()
      const states = [await bench.open(place), await bench.open(place)]
      const reader = await bench.open(place)
      const recording = states.map(async (state, of) => {
        for (let index = 0; index < 20; index += 1) await state.alarmLog.record([raised(`r${of}-${index}`)], 0)
      })
      const done = Promise.all(recording).then(() => true)
      const taken: number[] = []
      for (let ended = false; ; ) {
        const [head] = await reader.outbox.due(NOON, 1, [])
        if (!head && ended) break
        if (head) {
          const [row] = await bench.home.query(place, `select position from outbox where key = '${head.key}'`)
          taken.push(Number(row?.['position']))
          await reader.outbox.delivered(head.key, NOON)
        }
        ended = await Promise.race([done, new Promise<false>(resolve => setImmediate(() => resolve(false)))])
      }
      expect(taken).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
    })

    it('leaves no message to a recipient who is removed while alarms are recorded', async () => {
      const place = await bench.place()
      const [one, two] = [await bench.open(place), await bench.open(place)]
      const hook = { channel: 'webhook', language: null, minimumSeverity: 'tendency', stations: null } as const
      for (let round = 0; round < 5; round += 1) {
        const { recipient } = await one.recipients.add({ ...hook, target: `http://127.0.0.1:9/${round}` })
        const recording = Array.from({ length: 4 }, (_, index) => one.alarmLog.record([raised(`r${round}-${index}`)], 0))
        await Promise.all([...recording, two.recipients.remove(recipient.id)])
      }
      const waiting = await bench.home.query(place, "select key from outbox where state = 'pending' and channel = 'webhook'")
      expect(waiting).toEqual([])
    })

    it('rolls a failed transaction back whole and goes on', async () => {
      const state = await bench.open(await bench.place())
      const broken = { ...raised('b'), at: { not: 'a number' } as never }
      await expect(state.alarmLog.record([raised('a'), broken], 5)).rejects.toBeDefined()
      expect(await state.alarmLog.cursor()).toBe(0)
      expect(await state.alarms.get('a')).toBeNull()
      expect(await state.outbox.nextDue()).toBeNull()
      await state.alarmLog.record([raised('a')], 5)
      expect(await state.alarmLog.cursor()).toBe(5)
    })
  })

  describe('what strangers send', () => {
    it('may hold any character: it is kept, ordered by its bytes, and looked for', async () => {
      const place = await bench.place()
      const state = await bench.open(place)
      const odd = ['a', 'B', 'ß', 'đ', '\u{1F30A}', '\uFFFD', '_', ' ', "';--", '\\x00', 'z\ud800', 'nul\0']
      await state.alarmLog.record(
        odd.map(id => raised(id)),
        1
      )
      const listed = (await state.alarms.list({ limit: 100 })).items.map(({ id }) => shown(id))
      const byBytes = odd.map(id => Buffer.from(shown(id))).sort(Buffer.compare)
      expect(listed).toEqual(byBytes.reverse().map(String))
      expect(await state.alarms.get("';--")).toMatchObject({ id: "';--" })
      expect(await state.alarms.get('none\0')).toBeNull()
    })
  })
}
