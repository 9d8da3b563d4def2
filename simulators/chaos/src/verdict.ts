import type { ProofResult } from './proof.js'

export interface Verdict {
  readonly cycles: number
  readonly acknowledged: number
  readonly stored: number
  readonly lost: number
  readonly duplicated: number
  readonly p99Ms: number
}

export const verdictOf = (cycles: number, result: ProofResult): Verdict => ({
  cycles,
  acknowledged: result.acknowledged,
  stored: result.stored,
  lost: result.lost,
  duplicated: result.surplus + result.repeatedRecords,
  p99Ms: result.p99Ms
})

/** Several proofs as one: sums, and the slowest of the acknowledgement times. */
export const together = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.reduce((sum, v) => ({
    cycles: sum.cycles + v.cycles,
    acknowledged: sum.acknowledged + v.acknowledged,
    stored: sum.stored + v.stored,
    lost: sum.lost + v.lost,
    duplicated: sum.duplicated + v.duplicated,
    p99Ms: Math.max(sum.p99Ms, v.p99Ms)
  }))

/** The proof's last line. */
export function formatVerdict({ cycles, acknowledged, stored, lost, duplicated, p99Ms }: Verdict): string {
  return `cycles ${cycles} acked ${acknowledged} stored ${stored} lost ${lost} duplicated ${duplicated} p99_puback_ms ${p99Ms.toFixed(1)}`
}

/** What is wrong with a result, in words; empty when the promise was kept. */
export function complaints(result: ProofResult): string[] {
  const { alarms, faults } = result
  const claims: [boolean, string][] = [
    [result.acknowledged === 0, 'nothing was acknowledged: the proof proves nothing'],
    [result.lost > 0, `${result.lost} acknowledged messages are lost`],
    [result.surplus > 0, `${result.surplus} readings stand twice or differ from what was sent`],
    [result.repeatedRecords > 0, `${result.repeatedRecords} journal records repeat another one's body`],
    [alarms.missing > 0, `${alarms.missing} alarm transitions never arrived at the webhook`],
    [alarms.unexpected > 0, `${alarms.unexpected} messages arrived under a second key or belong to no history`],
    [alarms.raised !== alarms.expectedRaised, `${alarms.raised} alarms were raised where the messages mean ${alarms.expectedRaised}`]
  ]
  return [...claims.filter(([wrong]) => wrong).map(([, words]) => words), ...faults]
}

/** Figures that the last line has no place for. */
export function formatDetails({ alarms, webhookRepeats, sessionsLost }: ProofResult): string {
  const { transitions, delivered, missing, unexpected, raised } = alarms
  const webhook = `webhook delivered ${delivered} repeated ${webhookRepeats} missing ${missing} unexpected ${unexpected}`
  return `alarms raised ${raised} transitions ${transitions} ${webhook}; sessions lost ${sessionsLost}`
}
