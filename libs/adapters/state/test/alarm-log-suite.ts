import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { acknowledge, mergeAlarm } from '#libs/alarms'
import type { Alarm, AlarmTransition } from '#libs/pipeline'
import type { NewRecipient } from '../src/recipients.js'
import type { State } from '../src/state.js'
import { alarm, type Bench, cleared, codeOfRejection, NOON, raised, transition } from './fixtures.js'

export function alarmLogSuite(bench: Bench): void {
  let state: State
  beforeEach(async () => {
    state = await bench.open(await bench.place())
  })
  afterEach(() => bench.clear())

  const hook = (name: string, more: Partial<NewRecipient> = {}): NewRecipient => ({
    channel: 'webhook',
    target: `http://127.0.0.1:9/${name}`,
    language: null,
    minimumSeverity: 'tendency',
    stations: null,
    ...more
  })

  /** What each target would be sent, in order. */
  async function queued(): Promise<Record<string, string[]>> {
    const sent: Record<string, string[]> = {}
    for (;;) {
      const [message] = await state.outbox.due(Number.MAX_SAFE_INTEGER, 1, [])
      if (!message) return sent
      const name = message.target.split('/').at(-1) ?? ''
      sent[name] = [...(sent[name] ?? []), message.transition.id]
      await state.outbox.delivered(message.key, bench.now)
    }
  }

  describe('recording transitions', () => {
    it('keeps alarm, history, messages and cursor together', async () => {
      await state.alarmLog.record([raised('a'), cleared('a', NOON + 60_000)], 42)
      expect(await state.alarms.get('a')).toEqual(alarm('a', { state: 'rtn-unacknowledged', clearedAt: NOON + 60_000 }))
      expect(await state.alarms.history('a')).toEqual([raised('a'), cleared('a', NOON + 60_000)])
      expect(await state.alarmLog.cursor()).toBe(42)
      expect(await queued()).toEqual({ 'AG-BINHHOA': [raised('a').id, cleared('a', NOON + 60_000).id] })
    })

    it('knows a repeat by its id: nothing is told or changed twice', async () => {
      await state.alarmLog.record([raised('a'), cleared('a', NOON + 1)], 1)
      await state.alarmLog.record([raised('a')], 2) // a standing silence, for one, is recorded again at every start
      await state.alarmLog.record([cleared('a', NOON + 1), cleared('a', NOON + 1)], 3)
      expect((await state.alarms.get('a'))?.state).toBe('rtn-unacknowledged')
      expect(await state.alarms.history('a')).toHaveLength(2)
      expect(await state.outbox.stats()).toMatchObject({ pending: 2 })
      expect(await state.alarmLog.cursor()).toBe(3)
    })

    it('moves its cursor forward only, with a snapshot too', async () => {
      await state.alarmLog.record([], 10)
      await state.alarmLog.record([], 4)
      expect(await state.alarmLog.cursor()).toBe(10)
      await state.alarmLog.saveSnapshot(8, Uint8Array.of(8))
      expect(await state.alarmLog.cursor()).toBe(10)
      await state.alarmLog.saveSnapshot(12, Uint8Array.of(12))
      expect(await state.alarmLog.cursor()).toBe(12)
      expect(await state.alarmLog.snapshot()).toEqual({ sequence: 12, bytes: Buffer.of(12) })
    })

    it('records a thousand at once', async () => {
      await state.recipients.add(hook('all'))
      const many = Array.from({ length: 1_000 }, (_, index) => raised(`silent-${index}`, { station: `AG-${index}`, kind: 'silence' }))
      await state.alarmLog.record(many, 1)
      expect(await state.outbox.stats()).toMatchObject({ pending: 2_000 })
    })
  })

  describe('who is told', () => {
    beforeEach(async () => {
      await state.recipients.add(hook('all'))
      await state.recipients.add(hook('worst', { minimumSeverity: 'exceeds' }))
      await state.recipients.add(hook('vamnao', { stations: ['AG-VAMNAO', 'AG-CHAUDOC'] }))
    })

    it('is decided by station and severity; subscribers get everything', async () => {
      await state.alarmLog.record([raised('mild', { severity: 'tendency' })], 1)
      await state.alarmLog.record([raised('bad', { station: 'AG-VAMNAO' })], 2)
      const [mild, bad] = [`mild.raised.${NOON}`, `bad.raised.${NOON}`]
      expect(await queued()).toEqual({ 'AG-BINHHOA': [mild], 'AG-VAMNAO': [bad], all: [mild, bad], worst: [bad], vamnao: [bad] })
    })

    it('hears of a silence whatever the filter: nobody knows what it hides', async () => {
      await state.alarmLog.record([raised('still', { kind: 'silence', severity: 'not-evaluated' })], 1)
      expect(Object.keys(await queued()).sort()).toEqual(['AG-BINHHOA', 'all', 'worst'])
    })

    it('hears what becomes of what it was told, also when a late reading makes it milder or takes it back', async () => {
      const milder = transition(alarm('a', { severity: 'tendency' }), 'revised', NOON + 5)
      const gone = transition(alarm('a', { severity: 'tendency', state: 'normal', clearedAt: NOON }), 'withdrawn', NOON + 6)
      await state.alarmLog.record([raised('a', { severity: 'tendency' })], 1)
      const worse = transition(alarm('a', { severity: 'exceeds' }), 'escalated', NOON + 1)
      await state.alarmLog.record([worse], 2)
      await state.alarmLog.record([milder], 3)
      await state.alarmLog.record([gone], 4)
      expect((await queued())['worst']).toEqual([worse.id, milder.id, gone.id])
    })
  })

  describe('acknowledging', () => {
    it('changes the alarm, adds to its history and tells everybody, at once', async () => {
      await state.recipients.add(hook('all'))
      await state.alarmLog.record([raised('a')], 1)
      await queued()
      const result = await state.alarms.acknowledge('a', 'lan', 'đã gọi nhà máy', NOON + 1_000)
      const after = alarm('a', {
        state: 'acknowledged-active',
        acknowledgedAt: NOON + 1_000,
        acknowledgedBy: 'lan',
        comment: 'đã gọi nhà máy'
      })
      expect(result).toEqual({ ok: true, alarm: after, repeated: false })
      expect(await state.alarms.get('a')).toEqual(after)
      const history = await state.alarms.history('a')
      expect(history.at(-1)).toMatchObject({ kind: 'acknowledged', at: NOON + 1_000, alarm: after })
      expect(await queued()).toEqual({ 'AG-BINHHOA': [history.at(-1)?.id], all: [history.at(-1)?.id] })
    })

    it('is the same when the same person does it again; another one is told who was first', async () => {
      await state.alarmLog.record([raised('a')], 1)
      await Promise.all([1, 2, 3].map(() => state.alarms.acknowledge('a', 'lan', null, NOON + 1)))
      expect(await state.alarms.acknowledge('a', 'lan', 'again', NOON + 9)).toMatchObject({
        ok: true,
        repeated: true,
        alarm: { comment: null }
      })
      const other = await state.alarms.acknowledge('a', 'minh', null, NOON + 9)
      expect(other).toEqual({ ok: false, code: 'QT_ALARM_NOT_ACKNOWLEDGEABLE', message: 'lan has acknowledged it already' })
      expect(await state.alarms.history('a')).toHaveLength(2)
    })

    it('refuses an alarm that nobody knows, and one that has nothing to acknowledge', async () => {
      expect(await state.alarms.acknowledge('ghost', 'lan', null)).toMatchObject({ ok: false, code: 'QT_ALARM_UNKNOWN' })
      await state.alarmLog.record([raised('a'), transition(alarm('a', { state: 'normal', clearedAt: NOON }), 'withdrawn', NOON + 1)], 1)
      expect(await state.alarms.acknowledge('a', 'lan', null)).toMatchObject({ ok: false, code: 'QT_ALARM_NOT_ACKNOWLEDGEABLE' })
    })

    it('can be asked for twice in one millisecond when it became worse in between', async () => {
      await state.alarmLog.record([raised('a', { severity: 'tendency' })], 1)
      await state.alarms.acknowledge('a', 'lan', null, NOON + 1)
      await state.alarmLog.record([transition(alarm('a'), 'escalated', NOON + 1)], 2)
      expect((await state.alarms.get('a'))?.state).toBe('unacknowledged-active')
      expect(await state.alarms.acknowledge('a', 'lan', null, NOON + 1)).toMatchObject({ ok: true, repeated: false })
      const ids = (await state.alarms.history('a')).map(({ id }) => id)
      expect(new Set(ids).size).toBe(4)
    })

    it('is never lost, whatever the engine records before, between and after', async () => {
      let run = 0
      const step = fc.constantFrom('worse', 'milder', 'clear', 'raise', 'ack', 'repeat')
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async steps => {
          run += 1
          const seen = await live(`run-${run}`, steps)
          const kept = await state.alarms.get(`run-${run}`)
          expect(kept).toEqual(seen.model)
          expect(await state.alarms.history(`run-${run}`)).toEqual(seen.history)
        }),
        { numRuns: 40 }
      )
    })
  })

  type Step = 'worse' | 'milder' | 'clear' | 'raise' | 'ack' | 'repeat'

  /** Walks through the steps in the state and in a model that is nothing but the two functions of the alarm library. */
  async function live(id: string, steps: readonly Step[]): Promise<{ model: Alarm; history: AlarmTransition[] }> {
    const first = raised(id)
    let model = mergeAlarm(undefined, first)
    const history = [first]
    await state.alarmLog.record([first], 0)
    for (const [index, step] of steps.entries()) {
      const at = NOON + 1 + index
      if (step === 'repeat') await state.alarmLog.record(history, 0)
      else if (step === 'ack') {
        const result = await state.alarms.acknowledge(id, 'lan', `step ${index}`, at)
        const expected = acknowledge(model, { at, by: 'lan', comment: `step ${index}` })
        expect(result.ok && !result.repeated).toBe(expected !== undefined)
        if (!expected) continue
        model = expected.alarm
        history.push(expected)
      } else {
        const next = engineSays(id, step, at)
        model = mergeAlarm(model, next)
        history.push({ ...next, alarm: model })
        await state.alarmLog.record([next], 0)
      }
    }
    return { model, history }
  }

  function engineSays(id: string, step: 'worse' | 'milder' | 'clear' | 'raise', at: number): AlarmTransition {
    if (step === 'worse') return transition(alarm(id, { severity: 'exceeds' }), 'escalated', at)
    if (step === 'milder') return transition(alarm(id, { severity: 'tendency' }), 'eased', at)
    if (step === 'clear') return cleared(id, at)
    return transition(alarm(id), 'revised', at)
  }

  describe('listing alarms', () => {
    beforeEach(async () => {
      const rows = Array.from({ length: 25 }, (_, index) =>
        raised(`id-${String(index).padStart(2, '0')}`, { raisedAt: NOON + (index >> 1) })
      )
      await state.alarmLog.record(rows, 1)
      await state.alarmLog.record(
        [raised('far', { station: 'AG-VAMNAO', raisedAt: NOON + 3 }), cleared('id-03', NOON + 9, { raisedAt: NOON + 1 })],
        2
      )
      await state.alarms.acknowledge('id-03', 'lan', null)
    })

    it('pages through all, newest first, each once, also while new ones arrive', async () => {
      const seen: string[] = []
      let after: string | null = null
      do {
        const page = await state.alarms.list({ limit: 4, ...(after === null ? {} : { after }) })
        seen.push(...page.items.map(({ id }) => id))
        after = page.next
        await state.alarmLog.record([raised(`new-${seen.length}`, { raisedAt: NOON + 100 + seen.length })], 3)
      } while (after !== null)
      const ordered = [...seen].sort((one, other) => Number(one === 'far') - Number(other === 'far') || other.localeCompare(one))
      expect(seen.filter(id => id !== 'far')).toEqual(ordered.filter(id => id !== 'far'))
      expect(seen).toHaveLength(26)
      expect(new Set(seen).size).toBe(26)
    })

    it('filters by station, state, and whether somebody must still see to it', async () => {
      const ids = async (query: object) => (await state.alarms.list({ limit: 100, ...query })).items.map(({ id }) => id)
      expect(await ids({ station: 'AG-VAMNAO' })).toEqual(['far'])
      expect(await ids({ state: 'normal' })).toEqual(['id-03'])
      expect(await ids({ open: false })).toEqual(['id-03'])
      expect(await ids({ open: true })).toHaveLength(25)
      expect(await ids({ open: true, state: 'normal' })).toEqual([])
    })

    it('refuses a cursor that it never gave out', async () => {
      const coded = ['null', '[1]', '["a","b"]', '[1,2]', '[1,"a",2]', '[1.5,"a"]'].map(text => Buffer.from(text).toString('base64url'))
      for (const after of ['', 'x', ...coded]) {
        expect([after, await codeOfRejection(state.alarms.list({ limit: 4, after }))]).toEqual([after, 'QT_CURSOR_INVALID'])
      }
    })
  })
}
