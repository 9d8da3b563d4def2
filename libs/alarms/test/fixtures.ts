import type { Reading, Station } from '#libs/model'
import { MINUTE } from '#libs/model'
import type { Alarm, AlarmTransition, CompiledRules, Engine } from '../src/index.js'
import { AlarmRules, compileRules, mergeAlarm } from '../src/index.js'

/** 2026-11-24 10:00 in Vietnam. */
export const TEN = Date.UTC(2026, 10, 24, 3)

/** `n` times five minutes after ten. */
export const slot = (n: number): number => TEN + n * 5 * MINUTE

export const station = (code: string, other: Partial<Station> = {}): Station => ({
  code,
  name: code,
  kind: 'wastewater',
  profile: 'discharge-monitor',
  zone: 'KCN Bình Hòa',
  agency: 'test',
  position: { longitude: 105.3, latitude: 10.4 },
  parameters: ['COD', 'pH'],
  example: true,
  ...other
})

export const reading = (code: string, at: number, value: number, other: Partial<Reading> = {}): Reading => ({
  station: code,
  parameter: 'COD',
  at,
  value,
  unit: 'mg/L',
  status: '00',
  flag: 1,
  flags: [],
  revision: 0,
  receivedAt: at,
  road: 'mqtt',
  ...other
})

/** Rules as the registry would write them. Throws where they are wrong. */
export function rulesFor(rules: readonly object[], stations: readonly Station[] = [station('AG-X')]): CompiledRules {
  const compiled = compileRules(AlarmRules.parse({ rules }), stations)
  if (!compiled.ok) throw new Error(compiled.problems.join('\n'))
  return compiled.rules
}

export const COD_90 = {
  id: 'cod-high',
  parameter: 'COD',
  kinds: ['wastewater'],
  high: 90,
  unit: 'mg/L',
  source: 'QCVN 40:2011/BTNMT, cột A'
}

/** Feeds one series a message per value, five minutes apart; null leaves a gap. */
export function feed(engine: Engine, values: readonly (number | null)[], from = 0): AlarmTransition[] {
  return values.flatMap((value, index) => {
    if (value === null) return []
    const at = slot(from + index)
    return engine.apply(from + index + 1, { station: 'AG-X', receivedAt: at, readings: [reading('AG-X', at, value)] })
  })
}

export const kinds = (transitions: readonly AlarmTransition[]): string[] => transitions.map(({ kind }) => kind)

/** What an alarm log holds after the transitions: newest state of each alarm; those withdrawn left out. Throws on a repeated id. */
export function logOf(transitions: readonly AlarmTransition[]): Map<string, Alarm> {
  const alarms = new Map<string, Alarm>()
  const seen = new Set<string>()
  for (const transition of transitions) {
    if (seen.has(transition.id)) throw new Error(`transition ${transition.id} came twice`)
    seen.add(transition.id)
    const merged = mergeAlarm(alarms.get(transition.alarm.id), transition)
    if (transition.kind === 'withdrawn') alarms.delete(merged.id)
    else alarms.set(merged.id, merged)
  }
  return alarms
}
