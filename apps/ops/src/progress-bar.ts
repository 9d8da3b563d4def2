const WIDTH = 40
const PAUSE_MS = 100
/** Where nobody watches a line being redrawn, a line now and then is enough. */
const LINE_MS = 10_000

/** A bar on standard error: redrawn in place on a terminal, a line every ten seconds elsewhere. */
export function progressBar(what: string, total: number): { show(done: number): void; end(): void } {
  const terminal = process.stderr.isTTY
  const began = Date.now()
  let drawnAt = 0
  let last = 0
  const draw = (): void => {
    const share = total === 0 ? 1 : Math.min(1, last / total)
    const filled = Math.round(share * WIDTH)
    const seconds = (Date.now() - began) / 1_000
    const left = share > 0 && share < 1 ? `, ${Math.ceil((seconds / share) * (1 - share))} s left` : ''
    const text = `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${Math.round(share * 100)} % ${last} of ${total} ${what}${left}`
    process.stderr.write(terminal ? `\r${text.padEnd(110)}` : `${text}\n`)
  }
  return {
    show(done) {
      last = done
      if (Date.now() - drawnAt < (terminal ? PAUSE_MS : LINE_MS)) return
      drawnAt = Date.now()
      draw()
    },
    end() {
      draw()
      if (terminal) process.stderr.write('\n')
    }
  }
}
