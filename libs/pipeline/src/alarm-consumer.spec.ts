import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { CompiledRules } from '#libs/alarms'
import { AlarmRules, compileRules, mergeAlarm } from '#libs/alarms'
import type { Reading, Station } from '#libs/model'
import { MINUTE } from '#libs/model'
import { AlarmConsumer } from './alarm-consumer.js'
import type { SequencedRecord } from './journal-source.js'
import type { Alarm, AlarmLog, AlarmTransition, Log } from './ports.js'

const START = Date.UTC(2026, 10, 24, 3)
const BEACON = 'AG-BEACON' // speaks every minute, so that the server is seen to have listened until it was killed

const station = (code: string): Station => ({
  code,
  name: code,
  kind: 'wastewater',
  profile: 'discharge-monitor',
  zone: 'test',
  agency: 'test',
  position: { longitude: 105, latitude: 10 },
  parameters: ['COD'],
  example: true
})

function rulesWith(high: number): CompiledRules {
  const cod = { id: 'cod-high', parameter: 'COD', kinds: ['wastewater'], high, unit: 'mg/L', source: 'test' }
  const single = { ...cod, id: 'cod-single', consecutive: { k: 1, n: 1 }, bands: 'none' }
  const compiled = compileRules(AlarmRules.parse({ rules: [cod, single] }), ['AG-X', 'AG-Y', BEACON].map(station))
  if (!compiled.ok) throw new Error(compiled.problems.join('\n'))
  return compiled.rules
}

const RULES = rulesWith(90)

interface Said {
  readonly station: string
  readonly value: number
  readonly minutesLate: number
}

/** A minute of journal for each step: the beacon, then what the stations said. */
function journalOf(steps: readonly (Said | null)[]): SequencedRecord[] {
  const records: SequencedRecord[] = []
  const add = (code: string, minute: number, value: number, minutesLate: number) => {
    const receivedAt = START + minute * MINUTE
    const at = receivedAt - minutesLate * MINUTE
    const one: Reading = {
      ...{
        station: code,
        parameter: 'COD',
        at,
        value,
        unit: 'mg/L',
        status: '00',
        flag: 1,
        flags: [],
        revision: 0,
        receivedAt,
        road: 'mqtt'
      }
    }
    const record = {
      kind: 'readings',
      station: code,
      road: 'mqtt',
      receivedAt,
      qos: 1,
      readings: [one],
      refused: [],
      payload: new Uint8Array()
    } as const
    records.push({ sequence: records.length + 1, record })
  }
  steps.forEach((said, minute) => {
    add(BEACON, minute, 50, 0)
    if (said) add(said.station, minute, said.value, said.minutesLate)
  })
  return records
}

class Killed extends Error {}

/** What is on disk. It outlives the process. */
class Disk {
  cursorAt = 0
  kept: { sequence: number; bytes: Uint8Array } | null = null
  readonly transitions = new Map<string, AlarmTransition>()
  readonly alarms = new Map<string, Alarm>()
  /** Transitions handed over, those known already included. */
  handedOver = 0

  record(transitions: readonly AlarmTransition[], upTo: number): void {
    this.handedOver += transitions.length
    for (const transition of transitions) {
      if (this.transitions.has(transition.id)) continue
      this.transitions.set(transition.id, transition)
      const { id } = transition.alarm
      this.alarms.set(id, mergeAlarm(this.alarms.get(id), transition))
    }
    this.cursorAt = Math.max(this.cursorAt, upTo)
  }

  /** The order among stations is nobody's promise where silences come from the clock. */
  get told(): AlarmTransition[] {
    return [...this.transitions.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }
}

type Trouble = 'none' | 'fails-before' | 'fails-after' | 'killed-before' | 'killed-after'

/** The log as the process sees it: its writes may fail, or be the last thing that the process did, before or after they took effect. */
class DiskLog implements AlarmLog {
  readonly #disk: Disk
  readonly #next: () => Trouble
  #isDead = false

  constructor(disk: Disk, next: () => Trouble = () => 'none') {
    this.#disk = disk
    this.#next = next
  }

  cursor = async () => this.#disk.cursorAt
  snapshot = async () => this.#disk.kept

  saveSnapshot = (sequence: number, bytes: Uint8Array) =>
    this.#write(() => {
      this.#disk.kept = { sequence, bytes }
      this.#disk.cursorAt = Math.max(this.#disk.cursorAt, sequence)
    })

  record = (transitions: readonly AlarmTransition[], upTo: number) => this.#write(() => this.#disk.record(transitions, upTo))

  async #write(effect: () => void): Promise<void> {
    if (this.#isDead) throw new Killed()
    const trouble = this.#next()
    this.#isDead = trouble.startsWith('killed')
    await Promise.resolve()
    if (!trouble.endsWith('before')) effect()
    if (trouble !== 'none') throw this.#isDead ? new Killed() : new Error('disk full')
  }
}

const quietLog = (lines: object[] = []): Log => ({ info: () => {}, warn: () => {}, error: fields => lines.push(fields) })

interface World {
  readonly disk: Disk
  readonly journal: readonly SequencedRecord[]
  readonly trouble: () => Trouble
  /** Records handed over at a time while catching up. */
  readonly batch: () => number
  readonly rules?: CompiledRules
}

/**
 * The server's life with that journal: each record arrives, the clock ticks just before the next. After each death it is started
 * again at that very instant and reads what the journal holds. Ends when the whole journal is consumed.
 */
async function live(world: World, from = 0): Promise<void> {
  let arrived = from
  for (let deaths = 0; ; deaths++) {
    // No time passes between a death and the new start: what the server is away for is another test's business.
    const clock = { now: (world.journal[arrived - 1]?.record.receivedAt ?? START) + 1 }
    const consumer = new AlarmConsumer(
      { rules: world.rules ?? RULES, alarmLog: new DiskLog(world.disk, world.trouble), clock: () => clock.now, log: quietLog() },
      { readings: 17, restMillis: 0, millis: 30 * MINUTE }
    )
    try {
      await settled(async () => catchUp(consumer, world, { position: await consumer.start(), arrived }))
      while (arrived < world.journal.length) {
        const { record, sequence } = world.journal[arrived]!
        clock.now = record.receivedAt - 1
        await settled(() => consumer.tick(clock.now))
        arrived++
        await settled(() => consumer.consume([world.journal[sequence - 1]!], sequence))
      }
      return await settled(() => consumer.close())
    } catch (error) {
      if (!(error instanceof Killed) || deaths > 500) throw error
    }
  }
}

async function catchUp(consumer: AlarmConsumer, world: World, { position, arrived }: { position: number; arrived: number }): Promise<void> {
  for (let at = position; at < arrived; ) {
    const upTo = Math.min(arrived, at + world.batch())
    await settled(() => consumer.consume(world.journal.slice(at, upTo), upTo))
    at = upTo
  }
}

/** A failed call is made again, as the runner does. */
async function settled(call: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (error instanceof Killed) throw error
    }
  }
}

const undisturbed = (journal: readonly SequencedRecord[], disk = new Disk(), rules = RULES): World => ({
  disk,
  journal,
  rules,
  trouble: () => 'none',
  batch: () => 10
})

/** Runs of like values, gaps of over a quarter of an hour and under, and readings that come late. */
const anySteps = fc
  .array(
    fc.record({
      station: fc.constantFrom('AG-X', 'AG-Y'),
      value: fc.constantFrom(50, 75, 95, 120),
      times: fc.integer({ min: 1, max: 6 }),
      gap: fc.constantFrom(0, 2, 25),
      minutesLate: fc.constantFrom(0, 0, 0, 3.5, 40.5)
    }),
    { minLength: 1, maxLength: 8 }
  )
  .map(runs =>
    runs.flatMap(({ times, gap, ...said }) => [...Array<Said | null>(gap).fill(null), ...Array.from({ length: times }, () => said)])
  )

const anyTrouble = fc.infiniteStream(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant<Trouble>('none') },
    { weight: 2, arbitrary: fc.constantFrom<Trouble>('killed-before', 'killed-after') },
    { weight: 1, arbitrary: fc.constantFrom<Trouble>('fails-before', 'fails-after') }
  )
)

const drawFrom =
  <T>(stream: Iterator<T>): (() => T) =>
  () =>
    stream.next().value as T

describe('the alarm consumer', () => {
  it('killed or failing at any write, repeats no transition and forgets none', async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, anyTrouble, fc.infiniteStream(fc.integer({ min: 1, max: 30 })), async (steps, troubles, batches) => {
        const journal = journalOf(steps)
        const calm = undisturbed(journal)
        await live(calm)
        const rough: World = { disk: new Disk(), journal, trouble: drawFrom(troubles), batch: drawFrom(batches) }
        await live(rough)
        expect(rough.disk.told).toEqual(calm.disk.told)
        expect([...rough.disk.alarms.values()].sort(byId)).toEqual([...calm.disk.alarms.values()].sort(byId))
      }),
      { numRuns: 60 }
    )
  })

  it('says the same whatever the batches, in the same order', async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, fc.infiniteStream(fc.integer({ min: 1, max: 30 })), async (steps, batches) => {
        const journal = journalOf(steps)
        const [one, other] = [1, drawFrom(batches)].map(batch => ({
          ...undisturbed(journal),
          batch: typeof batch === 'number' ? () => batch : batch
        }))
        for (const world of [one!, other!]) await catchUp(await started(world), world, { position: 0, arrived: journal.length })
        expect([...other!.disk.transitions.values()]).toEqual([...one!.disk.transitions.values()])
      }),
      { numRuns: 50 }
    )
  })

  it('puts other rules in force exactly where the old ones ended, however often it dies over it', async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, fc.nat(), fc.constantFrom(60, 110, 200), anyTrouble, async (steps, cut, high, troubles) => {
        const journal = journalOf(steps)
        const changedAt = cut % (journal.length + 1)
        const rules = rulesWith(high)
        const outcomes: Disk[] = []
        for (const trouble of [() => 'none' as const, drawFrom(troubles)]) {
          const disk = new Disk()
          await live(undisturbed(journal.slice(0, changedAt), disk))
          await live({ disk, journal, rules, trouble, batch: () => 7 }, changedAt)
          outcomes.push(disk)
        }
        expect(outcomes[1]!.told).toEqual(outcomes[0]!.told)
      }),
      { numRuns: 40 }
    )
  })

  const loud = journalOf([95, 95, 95, 40, 40].map(value => ({ station: 'AG-X', value, minutesLate: 0 })))

  it('writes only when there is something to write', async () => {
    const disk = new Disk()
    let writes = 0
    const trouble = (): Trouble => {
      writes++
      return 'none'
    }
    const consumer = await started({ ...undisturbed(loud, disk), trouble })
    expect(writes).toBe(1) // the rules under which it begins
    await consumer.consume(
      loud.filter(({ record }) => record.kind === 'readings' && record.station === BEACON),
      9
    )
    expect([writes, disk.cursorAt]).toEqual([1, 0])
  })

  it('tells the journal to keep what follows its snapshot, and leaves nothing to replay when it was closed', async () => {
    const disk = new Disk()
    const consumer = await started(undisturbed(loud, disk))
    await consumer.consume(loud, loud.length)
    expect([consumer.kept(), disk.cursorAt]).toEqual([0, loud.length])
    await consumer.close()
    expect(consumer.kept()).toBe(loud.length)
    expect(await new AlarmConsumer(portsOf(undisturbed(loud, disk))).start()).toBe(loud.length)
  })

  it('replays the whole journal in silence when its snapshot is damaged, and says so', async () => {
    const disk = new Disk()
    await live(undisturbed(loud, disk))
    const before = disk.told
    disk.kept!.bytes[20]! ^= 1
    const lines: object[] = []
    const consumer = new AlarmConsumer({ ...portsOf(undisturbed(loud, disk)), log: quietLog(lines) })
    expect(await consumer.start()).toBe(0)
    expect(lines).toMatchObject([{ code: 'QT_ALARM_SNAPSHOT' }])
    const { handedOver } = disk
    await consumer.consume(loud, loud.length)
    expect([disk.told, disk.handedOver]).toEqual([before, handedOver])
    expect(disk.kept!.sequence).toBe(loud.length)
  })

  it('does not take what it has not read yet for silence', async () => {
    const disk = new Disk()
    const first = await started(undisturbed(loud, disk))
    await first.consume(loud.slice(0, 4), 4)
    disk.cursorAt = 8 // recorded up to here, but the snapshot is of the beginning
    const consumer = await started(undisturbed(loud, disk))
    await consumer.consume(loud.slice(0, 4), 4)
    await consumer.tick(START + 1_000 * MINUTE)
    expect(disk.told.filter(({ alarm }) => alarm.kind === 'silence')).toEqual([])
  })

  it('takes no record twice when a batch comes again', async () => {
    const consumer = await started(undisturbed(loud))
    await consumer.consume(loud.slice(0, 6), 6)
    await consumer.consume(loud, loud.length)
    expect(consumer.stats()).toMatchObject({ inOrder: loud.length, repeated: 0 })
  })

  it('keeps a tick out of a batch that is being written: what the batch failed to record is recorded first', async () => {
    const disk = new Disk()
    const troubles: Trouble[] = ['none', 'fails-before']
    const consumer = await started({ ...undisturbed(loud, disk), trouble: () => troubles.shift() ?? 'none' })
    const batch = consumer.consume(loud, loud.length)
    const tick = consumer.tick(START + 1_000 * MINUTE)
    await expect(batch).rejects.toThrow('disk full')
    await tick
    const order = [...disk.transitions.values()].map(({ kind, alarm }) => `${alarm.kind} ${kind}`)
    expect(order).toEqual(['limit raised', 'limit raised', 'limit cleared', 'limit cleared', 'silence raised', 'silence raised'])
  })

  it('takes its own absence for nobody’s silence', async () => {
    const disk = new Disk()
    await live(undisturbed(loud, disk))
    const now = START + 1_000 * MINUTE
    const back = new AlarmConsumer({ ...portsOf(undisturbed(loud, disk)), clock: () => now })
    await back.start()
    await back.tick(now + 10 * MINUTE)
    expect(disk.told.filter(({ alarm }) => alarm.kind === 'silence')).toEqual([])
    await back.tick(now + 16 * MINUTE)
    expect(disk.told.filter(({ alarm }) => alarm.kind === 'silence').length).toBe(2)
  })
})

const byId = (a: Alarm, b: Alarm) => (a.id < b.id ? -1 : 1)

const portsOf = ({ disk, rules, trouble }: World) => ({
  rules: rules ?? RULES,
  alarmLog: new DiskLog(disk, trouble),
  clock: () => START,
  log: quietLog()
})

async function started(world: World): Promise<AlarmConsumer> {
  const consumer = new AlarmConsumer(portsOf(world))
  await consumer.start()
  return consumer
}
