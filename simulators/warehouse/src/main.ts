import { HELP, OptionsError, readOptions } from './options.js'
import { Warehouse } from './warehouse.js'

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env)
  if (options === null) {
    process.stdout.write(HELP)
    return
  }
  const warehouse = await Warehouse.open(options)
  process.stdout.write(`warehouse listens on ${warehouse.url}, admin on ${warehouse.adminUrl}\n`)
  await new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve)
    if (options.whileStdin) process.stdin.once('end', resolve).resume()
  })
  await warehouse.close()
}

try {
  await main()
} catch (error) {
  if (!(error instanceof OptionsError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
