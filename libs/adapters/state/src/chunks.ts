/** Rows in one statement: few enough for every database's limit of parameters, many enough that compiling it does not count. */
const ROWS = 100

/** Does `work` for at most 100 items at a time, in order. */
export async function inChunks<T>(items: readonly T[], work: (chunk: readonly T[]) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < items.length; start += ROWS) await work(items.slice(start, start + ROWS))
}
