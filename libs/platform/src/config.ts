import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { messageOf } from '#libs/model'
import { CodedError } from './errors.js'

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback)
const bytes = (fallback: number) => z.coerce.number().int().min(1).default(fallback)
const count = (fallback: number) => z.coerce.number().int().min(1).max(1_000_000).default(fallback)

/** Named instants at which the process kills itself, for the proof that nothing is lost there. Never set in production. */
export const FAULT_POINTS = [
  'before-commit',
  'after-commit-before-ack',
  'after-store-before-cursor',
  'after-outbox-before-send',
  'after-send-before-mark'
] as const
export type FaultPoint = (typeof FAULT_POINTS)[number]

const GIBIBYTE = 2 ** 30
const HOUR_MS = 3_600_000

/** Every setting of the server: `QUANTRAC_<NAME>`, or `QUANTRAC_<NAME>_FILE` with the path of a file that holds it. */
const Settings = z.strictObject({
  DATA_DIR: z.string().min(1).default('./data'),
  HTTP_HOST: z.string().min(1).default('127.0.0.1'),
  HTTP_PORT: port(8080),
  MQTT_HOST: z.string().min(1).default('127.0.0.1'),
  MQTT_PORT: port(1883),
  REGISTRY_DIR: z.string().min(1).optional(),
  DEVICES_DIR: z.string().min(1).default('devices'),
  DEMO: z.enum(['on', 'off']).optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  LOG_FORMAT: z.enum(['json', 'text']).optional(),
  JOURNAL_MAX_BYTES: bytes(8 * GIBIBYTE),
  JOURNAL_KEEP_HOURS: z.coerce
    .number()
    .min(0)
    .max(24 * 366)
    .default(24 * 7),
  MQTT_MAX_CONNECTIONS: count(10_000),
  MQTT_MAX_CONNECTIONS_PER_ADDRESS: count(1_000),
  MQTT_MAX_SESSIONS: count(20_000),
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  SMTP_FROM: z.string().min(3).max(254).optional(),
  FAULT_POINT: z.enum(FAULT_POINTS).optional(),
  FAULT_AFTER: z.coerce.number().int().min(1).default(1)
})

export interface Config {
  readonly dataDir: string
  readonly http: { readonly host: string; readonly port: number }
  readonly mqtt: {
    readonly host: string
    readonly port: number
    readonly maxConnections: number
    readonly maxConnectionsPerAddress: number
    readonly maxSessions: number
  }
  readonly registryDir: string
  readonly devicesDir: string
  /** True while nothing else is configured (design, section 8): the example registry with simulated stations. */
  readonly demo: boolean
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly format: 'json' | 'text' }
  readonly journal: { readonly maxBytes: number; readonly keepMs: number }
  readonly smtp: { readonly url: string; readonly from: string } | null
  readonly fault: { readonly point: FaultPoint; readonly after: number } | null
}

const PREFIX = 'QUANTRAC_'
const FILE = '_FILE'
/** Settings of the tests' own, not the server's. */
const NOT_OURS = /^QUANTRAC_(TEST|CI)_/

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the settings out of an environment, once. Loopback is the default for both listeners.
 * @throws CodedError QT_CONFIG_INVALID naming every problem in one message.
 */
export function readConfig(environment: Environment): Config {
  const problems: string[] = []
  const raw = gather(environment, problems)
  const parsed = Settings.safeParse(raw)
  if (!parsed.success) problems.push(...parsed.error.issues.map(describeIssue))
  else if (parsed.data.SMTP_URL && !parsed.data.SMTP_FROM) problems.push(`${PREFIX}SMTP_FROM: needed beside ${PREFIX}SMTP_URL`)
  if (!parsed.success || problems.length > 0) throw new CodedError('QT_CONFIG_INVALID', `cannot start:\n  ${problems.join('\n  ')}`)
  return toConfig(parsed.data)
}

function gather(environment: Environment, problems: string[]): Record<string, string> {
  const raw: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || NOT_OURS.test(name) || value === undefined || value === '') continue
    const key = name.slice(PREFIX.length)
    if (!key.endsWith(FILE)) {
      raw[key] = value
      continue
    }
    try {
      raw[key.slice(0, -FILE.length)] = readFileSync(value, 'utf8').trim()
    } catch (error) {
      problems.push(`${name}: ${messageOf(error)}`)
    }
  }
  return raw
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => `${PREFIX}${key}: no such setting`).join('\n  ')
  return `${PREFIX}${issue.path.join('.')}: ${issue.message}`
}

function toConfig(s: z.infer<typeof Settings>): Config {
  const demo = s.DEMO === undefined ? s.REGISTRY_DIR === undefined : s.DEMO === 'on'
  return {
    dataDir: s.DATA_DIR,
    http: { host: s.HTTP_HOST, port: s.HTTP_PORT },
    mqtt: {
      host: s.MQTT_HOST,
      port: s.MQTT_PORT,
      maxConnections: s.MQTT_MAX_CONNECTIONS,
      maxConnectionsPerAddress: s.MQTT_MAX_CONNECTIONS_PER_ADDRESS,
      maxSessions: s.MQTT_MAX_SESSIONS
    },
    registryDir: s.REGISTRY_DIR ?? 'devices/registry',
    devicesDir: s.DEVICES_DIR,
    demo,
    log: { level: s.LOG_LEVEL, format: s.LOG_FORMAT ?? (demo ? 'text' : 'json') },
    journal: { maxBytes: s.JOURNAL_MAX_BYTES, keepMs: s.JOURNAL_KEEP_HOURS * HOUR_MS },
    smtp: s.SMTP_URL && s.SMTP_FROM ? { url: s.SMTP_URL, from: s.SMTP_FROM } : null,
    fault: s.FAULT_POINT ? { point: s.FAULT_POINT, after: s.FAULT_AFTER } : null
  }
}

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}
