import { notACursor } from './problem.js'
import { fromCursor } from './schemas.js'

/** The number of a list that is sorted by one. @throws HttpProblem 400 for what is no cursor of such a list. */
export function numberCursor(cursor: string): number {
  const text = fromCursor(cursor)
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw notACursor()
}
