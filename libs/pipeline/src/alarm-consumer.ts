import type { AlarmTransition, CompiledRules, EngineStats } from '#libs/alarms'
import { Engine } from '#libs/alarms'
import type { Millis } from '#libs/model'
import { codeOf, MINUTE, messageOf } from '#libs/model'
import type { Consumer } from './consumer-runner.js'
import type { SequencedRecord } from './journal-source.js'
import type { AlarmLog, Clock, Log } from './ports.js'

interface AlarmPorts {
  readonly rules: CompiledRules
  readonly alarmLog: AlarmLog
  readonly clock: Clock
  readonly log: Log
}

/** When a snapshot is due, provided there is something new: replaying must stay short and writing rare. */
interface SnapshotPolicy {
  /** After so many readings, but not sooner than `restMillis` after the last one. */
  readonly readings: number
  readonly restMillis: Millis
  /** Or when so much time has passed. */
  readonly millis: Millis
}

/** A snapshot of full windows is 20 MB: under load it is saved twice a minute, and a restart replays half a minute. */
const POLICY: SnapshotPolicy = { readings: 200_000, restMillis: MINUTE / 2, millis: 5 * MINUTE }

/** What must be written before anything else is taken in, in this order: a snapshot, the transitions, a snapshot. */
interface Effect {
  snapshotBefore: boolean
  transitions: readonly AlarmTransition[]
  snapshotAfter: boolean
}

/**
 * Feeds the alarm engine from the journal and records its transitions. Killed at any instant it repeats and forgets none:
 *
 * - On start the engine is restored from the snapshot at sequence S, with the rules of that time, and what lies between S and the
 *   log's cursor C is replayed in silence: those transitions are recorded. At C the rules of today take over, and from there on every
 *   transition is recorded before the next record is taken in.
 * - Silences come from the clock and not from the journal. So the snapshot that knows of one is saved *before* it is recorded, and
 *   every silence that stands is recorded again on start; ids are deterministic, and the log skips those it has.
 * - Other rules are followed by a snapshot at once, so that no record is ever replayed under rules that it was not judged by.
 *
 * A failed write is kept and tried again, before anything else, with the next call.
 */
export class AlarmConsumer implements Consumer {
  readonly name = 'alarms'
  readonly #ports: AlarmPorts
  readonly #policy: SnapshotPolicy
  #engine: Engine
  /** Those of today. */
  #rules: CompiledRules
  /** Applied to the engine up to here. */
  #position = 0
  /** Covered by the saved snapshot up to here. */
  #kept = 0
  /** Up to here the transitions are recorded already. */
  #recordedBefore = 0
  #isLive = false
  #hasSnapshot = false
  #effect: Effect | undefined
  #savedAt: Millis = -Infinity
  #readingsSinceSave = 0
  /** Settles when the call before has ended: a tick never runs into a batch. */
  #turn: Promise<void> = Promise.resolve()

  constructor(ports: AlarmPorts, policy: Partial<SnapshotPolicy> = {}) {
    this.#ports = ports
    this.#policy = { ...POLICY, ...policy }
    this.#engine = new Engine(ports.rules)
    this.#rules = ports.rules
  }

  /** Restores the engine. The journal is to be read after the sequence returned, which may lie before the log's cursor. */
  start(): Promise<number> {
    return this.#exclusively(async () => {
      const snapshot = await this.#ports.alarmLog.snapshot()
      this.#recordedBefore = await this.#ports.alarmLog.cursor()
      this.#savedAt = this.#ports.clock()
      if (snapshot) this.#restore(snapshot)
      this.#engine.listen(this.#ports.clock())
      if (this.#position >= this.#recordedBefore) await this.#goLive()
      return this.#position
    })
  }

  /** The journal must keep what follows this sequence: the last snapshot's. */
  kept(): number {
    return this.#kept
  }

  stats(): EngineStats {
    return this.#engine.stats()
  }

  consume(records: readonly SequencedRecord[], upTo: number): Promise<void> {
    return this.#exclusively(async () => {
      await this.#settle()
      const transitions: AlarmTransition[] = []
      for (const entry of records) {
        if (entry.sequence <= this.#position) continue
        if (!this.#isLive && entry.sequence > this.#recordedBefore) await this.#goLive()
        const found = this.#apply(entry)
        if (this.#isLive) transitions.push(...found)
      }
      this.#position = Math.max(this.#position, upTo)
      if (!this.#isLive && this.#position >= this.#recordedBefore) await this.#goLive()
      await this.#write({ snapshotBefore: false, transitions, snapshotAfter: this.#isSnapshotDue() })
    })
  }

  /**
   * Raises the silences that are due at `now`. Call it every few seconds, and only while this consumer has read everything that the
   * journal holds: a message that waits to be read is not a silence.
   */
  tick(now: Millis): Promise<void> {
    return this.#exclusively(async () => {
      await this.#settle()
      if (!this.#isLive) return
      const transitions = this.#engine.tick(now)
      const isNews = transitions.length > 0
      await this.#write({ snapshotBefore: isNews, transitions, snapshotAfter: !isNews && this.#isSnapshotDue() })
    })
  }

  /**
   * Puts other rules in force. Before the log's cursor is reached nothing is done: they take over there. Recorded, and followed by a snapshot, so
   * that no record is ever replayed under rules that it was not judged by.
   */
  adopt(rules: CompiledRules): Promise<void> {
    return this.#exclusively(async () => {
      await this.#settle()
      this.#rules = rules
      if (!this.#isLive || this.#engine.rules.fingerprint === rules.fingerprint) return
      this.#ports.log.info({ sequence: this.#position }, 'the alarm rules have changed')
      await this.#write({ snapshotBefore: false, transitions: this.#engine.adopt(rules), snapshotAfter: true })
    })
  }

  /** Writes what is left to write and a last snapshot, so that the next start has nothing to replay. */
  close(): Promise<void> {
    return this.#exclusively(async () => {
      await this.#settle()
      if (this.#isLive && this.#position > this.#kept) await this.#save()
    })
  }

  #restore(snapshot: { sequence: number; bytes: Uint8Array }): void {
    try {
      this.#engine = Engine.restore(snapshot.bytes)
    } catch (error) {
      const text = `${messageOf(error)}; the journal is replayed from its beginning`
      this.#ports.log.error({ code: codeOf(error), sequence: snapshot.sequence }, text)
      return
    }
    this.#hasSnapshot = true
    this.#position = snapshot.sequence
    this.#kept = snapshot.sequence
  }

  /** What was recorded before is replayed: from here on transitions count, and today's rules hold. */
  async #goLive(): Promise<void> {
    this.#position = Math.max(this.#position, this.#recordedBefore)
    this.#isLive = true
    const hasNewRules = this.#engine.rules.fingerprint !== this.#rules.fingerprint
    if (hasNewRules) this.#ports.log.info({ sequence: this.#position }, 'the alarm rules have changed')
    const transitions = [...this.#engine.adopt(this.#rules), ...this.#engine.standingSilences()]
    await this.#write({ snapshotBefore: false, transitions, snapshotAfter: hasNewRules || !this.#hasSnapshot })
  }

  #apply({ sequence, record }: SequencedRecord): AlarmTransition[] {
    const transitions = record.kind === 'readings' ? this.#engine.apply(sequence, record) : []
    this.#position = sequence
    if (record.kind === 'readings') this.#readingsSinceSave += record.readings.length
    return transitions
  }

  async #write(effect: Effect): Promise<void> {
    this.#effect = effect
    await this.#settle()
  }

  async #settle(): Promise<void> {
    const effect = this.#effect
    if (!effect) return
    if (effect.snapshotBefore) await this.#save()
    effect.snapshotBefore = false
    if (effect.transitions.length > 0) await this.#ports.alarmLog.record(effect.transitions, this.#position)
    effect.transitions = []
    if (effect.snapshotAfter) await this.#save()
    this.#effect = undefined
  }

  #isSnapshotDue(): boolean {
    if (!this.#isLive || this.#position <= this.#kept) return false
    const { readings, restMillis, millis } = this.#policy
    const elapsed = this.#ports.clock() - this.#savedAt
    return elapsed >= millis || (elapsed >= restMillis && this.#readingsSinceSave >= readings)
  }

  async #save(): Promise<void> {
    const sequence = this.#position
    await this.#ports.alarmLog.saveSnapshot(sequence, this.#engine.serialize())
    this.#hasSnapshot = true
    this.#kept = sequence
    this.#savedAt = this.#ports.clock()
    this.#readingsSinceSave = 0
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.then(
      () => undefined,
      () => undefined
    )
    return turn
  }
}
