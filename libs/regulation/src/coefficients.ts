import type { Coefficients, Receiving, Steps } from './config.js'

/** The step that an amount lies in: the first whose end it does not pass (QCVN 40:2011, tables 2 to 4: `50 < F <= 500`). */
function stepOf(steps: Steps, amount: number): number {
  for (const [most, value] of steps) if (most === null || amount <= most) return value
  return steps.at(-1)?.[1] ?? 1
}

/**
 * Kq of the receiving water (QCVN 40:2011/BTNMT, tables 2 and 3; regulations.md 3.1): a river by the mean flow of its three driest
 * months in m3/s, a lake by its volume in 10^6 m3, a canal without flow data, the sea by its use.
 */
export function kqOf({ kq }: Coefficients, receiving: Receiving): number {
  if ('river' in receiving) return receiving.river === 'unknown' ? kq.unknown.river : stepOf(kq.river, receiving.river)
  if ('lake' in receiving) return receiving.lake === 'unknown' ? kq.unknown.lake : stepOf(kq.lake, receiving.lake)
  return 'canal' in receiving ? kq.canal : kq.sea[receiving.sea]
}

/** Kf of a discharge in m3/day (QCVN 40:2011/BTNMT, table 4); of an industrial zone, by the whole flow of its central plant. */
export const kfOf = ({ kf }: Coefficients, discharge: number): number => stepOf(kf, discharge)
