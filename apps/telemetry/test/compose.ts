import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'

/** An image with a version, down to its last figure (PostgreSQL has two). */
const PINNED = /^([a-z0-9./-]+:v?\d+\.\d+\.\d+|postgres:\d+\.\d+)(-[a-z0-9]+)?$/
const BYTES = /^\d+[mg]$/

const Condition = z.strictObject({ condition: z.enum(['service_healthy', 'service_completed_successfully']) })
const Health = z.union([
  z.strictObject({ disable: z.literal(true) }),
  z.strictObject({
    test: z.tuple([z.literal('CMD')], z.string()),
    interval: z.string(),
    timeout: z.string(),
    retries: z.number().int(),
    start_period: z.string()
  })
])
const Limits = z.strictObject({ cpus: z.string(), memory: z.string().regex(BYTES), pids: z.number().int().positive() })
const NamedVolume = z.strictObject({
  type: z.literal('volume'),
  source: z.string(),
  target: z.string(),
  read_only: z.literal(true),
  volume: z.strictObject({ nocopy: z.literal(true) })
})

/** What every service of ours must say, and what it may. A key that is not here is not used without thinking about it first. */
const Service = z.strictObject({
  image: z.string().regex(PINNED),
  build: z.strictObject({ context: z.literal('.') }).optional(),
  profiles: z.array(z.literal('demo')).optional(),
  command: z.array(z.string()).optional(),
  user: z.string().regex(/^[1-9]\d*:\d+$/, 'a number, and not root'),
  init: z.literal(true).optional(),
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  restart: z.enum(['unless-stopped', 'no']),
  networks: z.tuple([z.literal('quantrac')]),
  logging: z.strictObject({ driver: z.literal('local'), options: z.strictObject({ 'max-size': z.string(), 'max-file': z.string() }) }),
  environment: z.record(z.string(), z.string()).optional(),
  secrets: z.array(z.union([z.string(), z.strictObject({ source: z.string(), target: z.string() })])).optional(),
  volumes: z.array(z.union([z.string(), NamedVolume])).optional(),
  tmpfs: z.array(z.string().regex(/^\/\S+:\S*size=\d+m$/, 'with a limit')),
  shm_size: z.string().regex(BYTES).optional(),
  ports: z.array(z.string()).optional(),
  depends_on: z.record(z.string(), Condition).optional(),
  healthcheck: Health,
  stop_signal: z.enum(['SIGINT', 'SIGTERM']).optional(),
  stop_grace_period: z.string().optional(),
  ulimits: z.strictObject({ nofile: z.strictObject({ soft: z.number(), hard: z.number() }) }).optional(),
  deploy: z.strictObject({ resources: z.strictObject({ limits: Limits }) })
})
type Service = z.infer<typeof Service>

const Compose = z.object({
  name: z.literal('quantrac'),
  services: z.record(z.string(), Service),
  networks: z.strictObject({ quantrac: z.strictObject({}) }),
  volumes: z.record(z.string(), z.strictObject({})),
  secrets: z.record(z.string(), z.strictObject({ file: z.string().regex(/^\.\/secrets\/[a-z_]+$/) }))
})
export type Compose = z.infer<typeof Compose>

export const composeText = (): string => readFileSync('docker-compose.yml', 'utf8')

/** The file as YAML means it, held against our own rules. @throws ZodError naming every service and key that breaks one */
export const readCompose = (text: string = composeText()): Compose => Compose.parse(parse(text, { merge: true }))

/** Secret → path in the container. */
export const secretsOf = ({ secrets = [] }: Service): Record<string, string> =>
  Object.fromEntries(
    secrets.map(secret => (typeof secret === 'string' ? [secret, `/run/secrets/${secret}`] : [secret.source, secret.target]))
  )

export function serviceOf(compose: Compose, name: string): Service {
  const service = compose.services[name]
  if (!service) throw new Error(`no service ${name}`)
  return service
}

/** `${NAME:-default}`, replaced by what an environment says, as Compose does. */
export const interpolate = (text: string, environment: Readonly<Record<string, string>> = {}): string =>
  text.replace(/\$\{(\w+):-([^}]*)\}/g, (_all, name: string, fallback: string) => environment[name] || fallback)

export const envFile = (path: string): Record<string, string> =>
  Object.fromEntries([...readFileSync(path, 'utf8').matchAll(/^(\w+)=(.*)$/gm)].map(match => [String(match[1]), String(match[2])]))
