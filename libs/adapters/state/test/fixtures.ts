import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acknowledge, mergeAlarm } from '#libs/alarms'
import type { Alarm, AlarmTransition } from '#libs/pipeline'
import { State, type StateOptions } from '../src/state.js'

/** 2026-11-24T10:00+07:00. */
export const NOON = Date.UTC(2026, 10, 24, 3)

export const life = { mergeAlarm, acknowledge }

/** Temporary directories and open states, closed and removed by one call. */
export class Bench {
  readonly #dirs: string[] = []
  readonly #states: State[] = []
  now = NOON

  async dir(): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'quantrac-state-'))
    this.#dirs.push(dir)
    return dir
  }

  async open(dataDir: string, more: Partial<StateOptions> = {}): Promise<State> {
    const state = await State.open({ dataDir, life, clock: () => this.now, ...more })
    this.#states.push(state)
    return state
  }

  async clear(): Promise<void> {
    for (const state of this.#states.splice(0)) await state.close()
    for (const dir of this.#dirs.splice(0)) await rm(dir, { recursive: true, force: true })
    this.now = NOON
  }
}

export function alarm(id: string, more: Partial<Alarm> = {}): Alarm {
  return {
    id,
    kind: 'limit',
    station: 'AG-BINHHOA',
    parameter: 'COD',
    rule: 'cod-high',
    severity: 'exceeds',
    state: 'unacknowledged-active',
    value: 91.5,
    limit: 90,
    unit: 'mg/L',
    raisedAt: NOON,
    clearedAt: null,
    acknowledgedAt: null,
    acknowledgedBy: null,
    comment: null,
    source: 'QCVN 40:2011/BTNMT, B',
    ...more
  }
}

export function transition(of: Alarm, kind: AlarmTransition['kind'] = 'raised', at = of.raisedAt): AlarmTransition {
  return { id: `${of.id}.${kind}.${at}`, kind, at, alarm: of, ...(of.kind === 'limit' ? { level: of.severity } : {}) }
}

export const raised = (id: string, more: Partial<Alarm> = {}): AlarmTransition => transition(alarm(id, more))

export const cleared = (id: string, at: number, more: Partial<Alarm> = {}): AlarmTransition =>
  transition(alarm(id, { ...more, state: 'rtn-unacknowledged', clearedAt: at }), 'cleared', at)

/** The code of what a promise is rejected with. */
export async function codeOfRejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return (error as { code?: unknown }).code
  }
  return 'no rejection'
}
