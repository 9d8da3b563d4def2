/** A piecewise linear scale: index values at break points of a concentration, both ascending. */
export interface Scale {
  readonly points: readonly (readonly [concentration: number, index: number])[]
}

/** The index of a concentration, linear between break points; undefined beyond the last of them. */
export function indexOn({ points }: Scale, value: number): number | undefined {
  for (let i = 1; i < points.length; i++) {
    const [from, to] = [points[i - 1], points[i]]
    if (from && to && value <= to[0]) return from[1] + ((to[1] - from[1]) / (to[0] - from[0])) * (value - from[0])
  }
  return undefined
}

/** Binary fractions: 109.5 may come out as 109.49999999999999 and is 110. Far below any sensor's last digit. */
const TOLERANCE = 1e-9

/** Half up, as the worked examples of Decision 1459/QD-TCMT round (section 2.3: 65.4 is 65, 109.5 is 110). */
export const halfUp = (value: number): number => Math.floor(value + 0.5 + TOLERANCE)
