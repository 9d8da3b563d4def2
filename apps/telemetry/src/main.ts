import { codeOf, messageOf } from '#libs/model'
import { Closers, CodedError, readConfig } from '#libs/platform'

/** Reads the settings, starts, waits for a signal, stops. */
async function main(): Promise<void> {
  const config = readConfig(process.env)
  // Settings that cannot be are told before everything else is loaded.
  const { start } = await import('./start.js')
  const closers = new Closers()
  const ended = new Promise<Error | null>(resolve => {
    process.once('SIGTERM', () => resolve(null))
    process.once('SIGINT', () => resolve(null))
    void start(config, closers, resolve).catch(resolve)
  })
  const reason = await ended
  const failures = await closers.close()
  for (const { name, code, message } of failures) process.stderr.write(`quantrac: closing ${name}: ${message} [${code}]\n`)
  if (reason) throw reason
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    const known = error instanceof CodedError || codeOf(error).startsWith('QT_')
    process.stderr.write(
      `quantrac: ${known ? messageOf(error) : String(error instanceof Error ? error.stack : error)} [${codeOf(error)}]\n`
    )
    process.exit(1)
  }
)
