import type { ForwardResult } from './proof.js'

/** What is wrong with a result, in words; empty when both sides hold the same and held what they must. */
export function forwardComplaints(result: ForwardResult): string[] {
  const { differences, readings, account, faults } = result
  const claims: [boolean, string][] = [
    [differences.rows === 0, 'nothing was published: the proof proves nothing'],
    [readings.sent === 0, 'nothing was acknowledged: the proof proves nothing'],
    [readings.sent !== readings.counted, `${readings.sent} readings were acknowledged and ${readings.counted} are counted in the hours`],
    [account.violations > 0, `${account.violations} times an Idempotency-Key came with other items than before`]
  ]
  return [...claims.filter(([wrong]) => wrong).map(([, words]) => words), ...differences.examples, ...faults]
}

/** Figures that the last line has no place for. */
export function forwardDetails(result: ForwardResult): string[] {
  const { serverKills, warehouseKills, acknowledged, readings, revised, forwarded, account } = result
  const named = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(' ')
  const messages = Object.values(acknowledged).reduce((sum, count) => sum + count, 0)
  return [
    `kills: server ${serverKills}, warehouse ${warehouseKills}, each started again`,
    `messages acknowledged ${messages}: ${named(acknowledged)}`,
    `readings acknowledged ${readings.sent}, in the hours ${readings.counted}`,
    `revisions above 1 in ${revised.rows} rows, highest ${revised.highest}`,
    `forwarder heard: ${named(forwarded)}`,
    account.words
  ]
}
