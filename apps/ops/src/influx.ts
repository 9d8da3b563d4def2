import { chmod, open, writeFile } from 'node:fs/promises'
import { DEFAULT_RETENTION, InfluxStore, setupInflux } from '#libs/adapters/store-influx'
import type { Millis } from '#libs/model'
import { DAY, formatInstant, HOUR } from '#libs/model'
import { CodedError } from '#libs/platform'
import type { Call, Command } from './command.js'
import { textOption, usageError } from './command.js'

const OWNER_ONLY = 0o600

const setup: Command = {
  words: 'influx setup',
  usage: '[--retention 400d] [--hourly-retention 3650d] [--token-file PATH] [--grafana-token-file PATH] [--rotate]',
  help: 'makes buckets and least-privilege tokens in InfluxDB; prints the server’s token, once',
  options: {
    retention: { type: 'string' },
    'hourly-retention': { type: 'string' },
    'token-file': { type: 'string' },
    'grafana-token-file': { type: 'string' },
    rotate: { type: 'boolean' }
  },
  async run(call) {
    const { options } = call
    const grafanaFile = textOption(options, 'grafana-token-file')
    for (const path of [textOption(options, 'token-file'), grafanaFile]) if (path !== undefined) await touch(path)
    const result = await setupInflux({
      ...target(call),
      retention: {
        readings: retention(options, 'retention', DEFAULT_RETENTION.readings),
        hourly: retention(options, 'hourly-retention', DEFAULT_RETENTION.hourly)
      },
      rotate: options['rotate'] === true,
      grafana: grafanaFile !== undefined
    })
    for (const line of result.done) note(line)
    if (grafanaFile !== undefined) await keep(result.grafanaToken, grafanaFile)
    await tell(call, result.token)
    return 0
  }
}

function target({ config }: Call): { url: string; org: string; bucket: string; adminToken: string } {
  const { influxSetup } = config
  if (!influxSetup) throw usageError(setup, 'set QUANTRAC_INFLUX_URL (and _ORG, _BUCKET) to the InfluxDB to set up')
  const { adminToken, ...rest } = influxSetup
  if (adminToken === null) throw usageError(setup, 'set QUANTRAC_INFLUX_ADMIN_TOKEN (or _FILE) to a token that may make buckets and tokens')
  return { ...rest, adminToken }
}

/** `400d`, `36h`, or `forever`. */
function retention(options: Call['options'], name: string, fallback: Millis): Millis {
  const text = textOption(options, name)
  if (text === undefined) return fallback
  if (text === 'forever') return 0
  const [, count, unit] = /^(\d{1,6})([dh])$/.exec(text) ?? []
  if (!count || Number(count) === 0) throw usageError(setup, `--${name} is a number of days or hours, 400d or 36h, or forever`)
  return Number(count) * (unit === 'd' ? DAY : HOUR)
}

async function tell({ options, print }: Call, token: string | null): Promise<void> {
  const file = textOption(options, 'token-file')
  if (file !== undefined) await keep(token, file)
  else if (token !== null) print(token)
  else note('the server has its token already; --rotate makes a new one')
}

/** A token is told only once: a file that cannot be written has to be found out before it is made. */
async function touch(path: string): Promise<void> {
  const file = await open(path, 'a', OWNER_ONLY)
  await file.close()
}

async function keep(token: string | null, path: string): Promise<void> {
  if (token === null) {
    note(`there is a token already, so ${path} is left as it is; --rotate makes a new one`)
    return
  }
  await writeFile(path, `${token}\n`, { mode: OWNER_ONLY })
  await chmod(path, OWNER_ONLY) // `mode` counts for new files alone
  note(`token written to ${path}`)
}

/** Standard output is for the token alone. */
const note = (line: string): void => void process.stderr.write(`${line}\n`)

const DEFAULT_SHOWN = 100
const MOST_SHOWN = 100_000

const setAside: Command = {
  words: 'influx set-aside',
  usage: '[--count 100] [--json]',
  help: 'readings that InfluxDB refused for good, with the reason',
  options: { count: { type: 'string' }, json: { type: 'boolean' } },
  async run({ config, options, print }) {
    if (!config.influx)
      throw new CodedError('QT_OPS_USAGE', 'set QUANTRAC_INFLUX_URL and QUANTRAC_INFLUX_TOKEN: the time series live in SQLite')
    const count = Number(textOption(options, 'count') ?? DEFAULT_SHOWN)
    if (!Number.isInteger(count) || count < 1 || count > MOST_SHOWN) throw usageError(setAside, `--count is 1 to ${MOST_SHOWN}`)
    const store = await InfluxStore.open({ ...config.influx, readOnly: true })
    try {
      for (const one of await store.setAside(count)) {
        if (options['json']) print(JSON.stringify({ ...one, at: formatInstant(one.at) }))
        else print(`${one.sequence} ${one.station}/${one.parameter} ${formatInstant(one.at)}: ${one.reason}`)
      }
    } finally {
      await store.close()
    }
    return 0
  }
}

export const influxCommands: readonly Command[] = [setup, setAside]
