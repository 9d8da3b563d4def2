import type { Flag } from '#libs/model'
import { QualityError } from './error.js'

/** QARTOD precedence 4 > 3 > 1 > 2 > 9 (regulations.md 7.1; ioos_qc `qartod_compare`): 9 only where nothing else is, 2 only where nothing ran. */
const RANK: Readonly<Record<Flag, number>> = { 9: 0, 2: 1, 1: 2, 3: 3, 4: 4 }

/** The one of two flags that stands for both. */
export const stronger = (a: Flag, b: Flag): Flag => (RANK[b] > RANK[a] ? b : a)

/** Position by position the flag that stands for all the vectors. Throws QualityError QT_QUALITY_LENGTHS where their lengths differ. */
export function compareFlags(vectors: readonly (readonly Flag[])[]): Flag[] {
  const length = vectors[0]?.length ?? 0
  if (vectors.some(vector => vector.length !== length))
    throw new QualityError('QT_QUALITY_LENGTHS', `flags of different lengths: ${vectors.map(vector => vector.length).join(', ')}`)
  return Array.from({ length }, (_, n) => vectors.reduce<Flag>((strongest, vector) => stronger(strongest, vector[n] ?? 9), 9))
}
