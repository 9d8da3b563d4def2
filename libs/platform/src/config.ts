import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { messageOf } from '#libs/model'
import { CodedError } from './errors.js'

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback)
const bytes = (fallback: number) => z.coerce.number().int().min(1).default(fallback)
/** A listener that may be switched off. */
const portOrOff = (fallback: number) => z.union([z.literal('off').transform(() => null), port(fallback)])
const extraPort = z.coerce.number().int().min(0).max(65_535).optional()
const share = (fallback: number) => z.coerce.number().min(0).max(1).default(fallback)
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

/** Bucket names are put together from this one: `quantrac`, `quantrac-context` … */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9_-]{0,50}$/

const MEBIBYTE = 2 ** 20
const GIBIBYTE = 2 ** 30
const HOUR_MS = 3_600_000

/** Every setting of the server: `QUANTRAC_<NAME>`, or `QUANTRAC_<NAME>_FILE` with the path of a file that holds it. */
const Settings = z.strictObject({
  DATA_DIR: z.string().min(1).default('./data'),
  HTTP_HOST: z.string().min(1).default('127.0.0.1'),
  HTTP_PORT: portOrOff(8080),
  HTTPS_PORT: extraPort,
  MQTT_HOST: z.string().min(1).default('127.0.0.1'),
  MQTT_PORT: portOrOff(1883),
  MQTTS_PORT: extraPort,
  MQTT_WS_PORT: extraPort,
  MQTT_WSS_PORT: extraPort,
  TLS_CERT: z.string().min(1).optional(),
  TLS_KEY: z.string().min(1).optional(),
  TLS_CLIENT_CA: z.string().min(1).optional(),
  REGISTRY_DIR: z.string().min(1).optional(),
  DEVICES_DIR: z.string().min(1).default('devices'),
  DEMO: z.enum(['on', 'off']).optional(),
  INFLUX_URL: z.url({ protocol: /^https?$/ }).optional(),
  INFLUX_ORG: z.string().min(1).max(100).default('quantrac'),
  INFLUX_BUCKET: z.string().regex(BUCKET, 'letters, digits, - and _').default('quantrac'),
  INFLUX_TOKEN: z.string().min(1).optional(),
  /** For `ops influx setup` alone; the server needs no such right. */
  INFLUX_ADMIN_TOKEN: z.string().min(1).optional(),
  STATE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
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
  DAY_RULE: z.enum(['hours-01-24', 'hours-00-23']).default('hours-01-24'),
  COMPLETENESS_HOUR: share(0.75),
  COMPLETENESS_DAY: share(0.75),
  COMPLETENESS_MONTH: share(0.8),
  WAREHOUSE_URL: z.url({ protocol: /^(https?|postgres(ql)?)$/ }).optional(),
  WAREHOUSE_TOKEN_URL: z.url({ protocol: /^https?$/ }).optional(),
  WAREHOUSE_CLIENT_ID: z.string().min(1).max(256).default('quantrac'),
  WAREHOUSE_CLIENT_SECRET: z.string().min(1).max(4_096).optional(),
  WAREHOUSE_SCOPE: z.string().min(1).max(256).optional(),
  WAREHOUSE_TLS_CERT: z.string().min(1).optional(),
  WAREHOUSE_TLS_KEY: z.string().min(1).optional(),
  WAREHOUSE_TLS_CA: z.string().min(1).optional(),
  WAREHOUSE_MAX_ITEMS: z.coerce.number().int().min(1).max(100_000).default(1_000),
  WAREHOUSE_MAX_BYTES: z.coerce
    .number()
    .int()
    .min(4_096)
    .max(64 * MEBIBYTE)
    .default(MEBIBYTE),
  WAREHOUSE_MAX_PER_SECOND: count(1_000_000),
  WAREHOUSE_COMPARE_AT: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'hours and minutes of UTC+7: 02:30')
    .default('02:30'),
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  SMTP_FROM: z.string().min(3).max(254).optional(),
  FAULT_POINT: z.enum(FAULT_POINTS).optional(),
  FAULT_AFTER: z.coerce.number().int().min(1).default(1)
})

export interface TlsFiles {
  /** Certificate chain, the server's own first. */
  readonly cert: string
  readonly key: string
  /** Authorities whose client certificates are taken for stations; null: nobody is asked for one. */
  readonly clientCa: string | null
  /** Names of the settings that hold these paths, for messages; those of the listeners unless told. */
  readonly settings?: { readonly cert: string; readonly key: string; readonly clientCa: string }
}

export interface InfluxSettings {
  readonly url: string
  readonly org: string
  /** Bucket of the readings; the others are named after it. */
  readonly bucket: string
  readonly token: string
}

/** The provincial warehouse: over HTTP, or a PostgreSQL where the address begins with `postgres:`. */
export interface WarehouseSettings {
  readonly url: string
  /** OAuth 2 client credentials; null where a client certificate (or the address) is enough. */
  readonly client: { readonly tokenUrl: string; readonly id: string; readonly secret: string; readonly scope: string | null } | null
  /** Paths of PEM files: our certificate and key, and the authorities that the warehouse's is held against. */
  readonly tls: { readonly cert: string | null; readonly key: string | null; readonly ca: string | null }
  readonly maxItems: number
  readonly maxBytes: number
  readonly maxPerSecond: number
  /** Minutes after midnight of UTC+7 at which both sides are compared. */
  readonly compareAtMinute: number
}

export interface Config {
  readonly dataDir: string
  /** A port is null where that listener is off; plain HTTP and MQTT are on by default. */
  readonly http: { readonly host: string; readonly port: number | null; readonly tlsPort: number | null }
  readonly mqtt: {
    readonly host: string
    readonly port: number | null
    readonly tlsPort: number | null
    readonly wsPort: number | null
    readonly wssPort: number | null
    readonly maxConnections: number
    readonly maxConnectionsPerAddress: number
    readonly maxSessions: number
  }
  /** Paths of PEM files, read again when they change. Null: nothing is encrypted. */
  readonly tls: TlsFiles | null
  /** Null: the time series live in SQLite. */
  readonly influx: InfluxSettings | null
  /** The InfluxDB to set up, with the token that may; null where no address is given. */
  readonly influxSetup: (Omit<InfluxSettings, 'token'> & { readonly adminToken: string | null }) | null
  /** `postgres://…`; null: the state lives in SQLite. */
  readonly stateUrl: string | null
  readonly registryDir: string
  readonly devicesDir: string
  /** True while nothing else is configured (design, section 8): the example registry with simulated stations. */
  readonly demo: boolean
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly format: 'json' | 'text' }
  readonly journal: { readonly maxBytes: number; readonly keepMs: number }
  /** Which hours make a day, and from which completeness on a window counts as sufficient. */
  readonly aggregates: {
    readonly dayRule: 'hours-01-24' | 'hours-00-23'
    readonly thresholds: { readonly hour: number; readonly day: number; readonly month: number }
  }
  /** Null: aggregates are passed on to nobody. */
  readonly warehouse: WarehouseSettings | null
  readonly smtp: { readonly url: string; readonly from: string } | null
  readonly fault: { readonly point: FaultPoint; readonly after: number } | null
}

const PREFIX = 'QUANTRAC_'
const FILE = '_FILE'
/** Settings of the tests' own, not the server's. */
const NOT_OURS = /^QUANTRAC_(TEST|CI)_/

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the settings out of an environment, once. Loopback is the default for both listeners. The operator's command line may do
 * without a token of InfluxDB: it is what makes one.
 * @throws CodedError QT_CONFIG_INVALID naming every problem in one message.
 */
export function readConfig(environment: Environment, program: 'server' | 'ops' = 'server'): Config {
  const problems: string[] = []
  const raw = gather(environment, problems)
  const parsed = Settings.safeParse(raw)
  if (!parsed.success) problems.push(...parsed.error.issues.map(describeIssue))
  else problems.push(...missingBeside(parsed.data, program))
  if (!parsed.success || problems.length > 0) throw new CodedError('QT_CONFIG_INVALID', `cannot start:\n  ${problems.join('\n  ')}`)
  return toConfig(parsed.data)
}

type Parsed = z.infer<typeof Settings>
const ENCRYPTED = ['HTTPS_PORT', 'MQTTS_PORT', 'MQTT_WSS_PORT'] as const

/** Settings that mean nothing without another. */
function missingBeside(s: Parsed, program: 'server' | 'ops'): string[] {
  const needs = (given: keyof Parsed, needed: keyof Parsed) =>
    s[given] !== undefined && s[needed] === undefined ? [`${PREFIX}${needed}: needed beside ${PREFIX}${given}`] : []
  const encrypted = ENCRYPTED.find(name => s[name] !== undefined)
  return [
    ...needs('SMTP_URL', 'SMTP_FROM'),
    ...needs('WAREHOUSE_TOKEN_URL', 'WAREHOUSE_URL'),
    ...needs('WAREHOUSE_TOKEN_URL', 'WAREHOUSE_CLIENT_SECRET'),
    ...needs('WAREHOUSE_CLIENT_SECRET', 'WAREHOUSE_TOKEN_URL'),
    ...needs('WAREHOUSE_TLS_CERT', 'WAREHOUSE_TLS_KEY'),
    ...needs('WAREHOUSE_TLS_KEY', 'WAREHOUSE_TLS_CERT'),
    ...(program === 'server' ? needs('INFLUX_URL', 'INFLUX_TOKEN') : []),
    ...needs('TLS_CERT', 'TLS_KEY'),
    ...needs('TLS_KEY', 'TLS_CERT'),
    ...needs('TLS_CLIENT_CA', 'TLS_CERT'),
    ...(encrypted && !s.TLS_CERT ? needs(encrypted, 'TLS_CERT') : []),
    ...(s.HTTP_PORT === null && s.HTTPS_PORT === undefined ? [`${PREFIX}HTTPS_PORT: needed where ${PREFIX}HTTP_PORT is off`] : [])
  ]
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

function toConfig(s: Parsed): Config {
  const demo = s.DEMO === undefined ? s.REGISTRY_DIR === undefined : s.DEMO === 'on'
  return {
    dataDir: s.DATA_DIR,
    http: { host: s.HTTP_HOST, port: s.HTTP_PORT, tlsPort: s.HTTPS_PORT ?? null },
    mqtt: {
      host: s.MQTT_HOST,
      port: s.MQTT_PORT,
      tlsPort: s.MQTTS_PORT ?? null,
      wsPort: s.MQTT_WS_PORT ?? null,
      wssPort: s.MQTT_WSS_PORT ?? null,
      maxConnections: s.MQTT_MAX_CONNECTIONS,
      maxConnectionsPerAddress: s.MQTT_MAX_CONNECTIONS_PER_ADDRESS,
      maxSessions: s.MQTT_MAX_SESSIONS
    },
    tls: s.TLS_CERT && s.TLS_KEY ? { cert: s.TLS_CERT, key: s.TLS_KEY, clientCa: s.TLS_CLIENT_CA ?? null } : null,
    influx:
      s.INFLUX_URL && s.INFLUX_TOKEN ? { url: s.INFLUX_URL, org: s.INFLUX_ORG, bucket: s.INFLUX_BUCKET, token: s.INFLUX_TOKEN } : null,
    influxSetup: s.INFLUX_URL
      ? { url: s.INFLUX_URL, org: s.INFLUX_ORG, bucket: s.INFLUX_BUCKET, adminToken: s.INFLUX_ADMIN_TOKEN ?? null }
      : null,
    stateUrl: s.STATE_URL ?? null,
    registryDir: s.REGISTRY_DIR ?? 'devices/registry',
    devicesDir: s.DEVICES_DIR,
    demo,
    log: { level: s.LOG_LEVEL, format: s.LOG_FORMAT ?? (demo ? 'text' : 'json') },
    journal: { maxBytes: s.JOURNAL_MAX_BYTES, keepMs: s.JOURNAL_KEEP_HOURS * HOUR_MS },
    aggregates: {
      dayRule: s.DAY_RULE,
      thresholds: { hour: s.COMPLETENESS_HOUR, day: s.COMPLETENESS_DAY, month: s.COMPLETENESS_MONTH }
    },
    warehouse: toWarehouse(s),
    smtp: s.SMTP_URL && s.SMTP_FROM ? { url: s.SMTP_URL, from: s.SMTP_FROM } : null,
    fault: s.FAULT_POINT ? { point: s.FAULT_POINT, after: s.FAULT_AFTER } : null
  }
}

function toWarehouse(s: Parsed): WarehouseSettings | null {
  if (s.WAREHOUSE_URL === undefined) return null
  const [hours = 0, minutes = 0] = s.WAREHOUSE_COMPARE_AT.split(':').map(Number)
  const { WAREHOUSE_TOKEN_URL: tokenUrl, WAREHOUSE_CLIENT_SECRET: secret } = s
  return {
    url: s.WAREHOUSE_URL,
    client: tokenUrl && secret ? { tokenUrl, id: s.WAREHOUSE_CLIENT_ID, secret, scope: s.WAREHOUSE_SCOPE ?? null } : null,
    tls: { cert: s.WAREHOUSE_TLS_CERT ?? null, key: s.WAREHOUSE_TLS_KEY ?? null, ca: s.WAREHOUSE_TLS_CA ?? null },
    maxItems: s.WAREHOUSE_MAX_ITEMS,
    maxBytes: s.WAREHOUSE_MAX_BYTES,
    maxPerSecond: s.WAREHOUSE_MAX_PER_SECOND,
    compareAtMinute: hours * 60 + minutes
  }
}

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}
