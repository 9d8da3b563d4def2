/** A real server that is not to be had here, and why. */
export interface Absent {
  readonly absent: string
}

interface Describe {
  (name: string, body: () => void): void
  readonly skip: (name: string, body: () => void) => void
}

const REQUIRED = 'QUANTRAC_TEST_REQUIRED'

/**
 * A suite against a real server: runs where there is one, else is skipped with a line that says why. Servers named in
 * QUANTRAC_TEST_REQUIRED (comma separated) must be there: their absence is a failure.
 */
export function described<T extends object>(
  describe: Describe,
  what: { readonly kind: string; readonly name: string; readonly found: T | Absent },
  body: (server: T) => void
): void {
  const { kind, name, found } = what
  if (!('absent' in found)) {
    describe(name, () => body(found))
    return
  }
  const required = (process.env[REQUIRED] ?? '').split(',').includes(kind)
  if (required) throw new Error(`${name}: ${kind} is required here and was not found: ${found.absent}`)
  process.stderr.write(`skipped: ${name}: ${found.absent}\n`)
  // biome-ignore lint/suspicious/noSkippedTests: without the server there is nothing to test, and the line above says so
  describe.skip(name, () => body({} as T))
}
