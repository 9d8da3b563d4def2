import { acknowledge, mergeAlarm } from '#libs/alarms'
import type { Alarm, AlarmTransition } from '#libs/pipeline'
import { State, type StateOptions, type StatePlace } from '../src/state.js'
import type { Home } from './homes.js'

/** 2026-11-24T10:00+07:00. */
export const NOON = Date.UTC(2026, 10, 24, 3)

export const life = { mergeAlarm, acknowledge }

/** Open states, closed and cleared away by one call. */
export class Bench<H extends Home = Home> {
  readonly home: H
  readonly #states: State[] = []
  now = NOON

  constructor(home: H) {
    this.home = home
  }

  place(): Promise<StatePlace> {
    return this.home.place()
  }

  async open(place: StatePlace, more: Partial<StateOptions> = {}): Promise<State> {
    const state = await State.open({ ...place, life, clock: () => this.now, ...more })
    this.#states.push(state)
    return state
  }

  async clear(): Promise<void> {
    for (const state of this.#states.splice(0)) await state.close()
    await this.home.clear()
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
