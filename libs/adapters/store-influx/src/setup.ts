import { InfluxDB } from '@influxdata/influxdb-client'
import type { Authorization, Bucket, Permission } from '@influxdata/influxdb-client-apis'
import { AuthorizationsAPI, BucketsAPI, OrgsAPI } from '@influxdata/influxdb-client-apis'
import { DAY, type Millis } from '#libs/model'
import { influxError } from './answers.js'
import type { BucketRole } from './catalogue.js'
import { BUCKETS, bucketName } from './catalogue.js'
import { InfluxStoreError } from './errors.js'

export interface SetupOptions {
  readonly url: string
  readonly org: string
  readonly bucket: string
  /** May make buckets and tokens of the organisation; an operator's token may make the organisation too. */
  readonly adminToken: string
  /** How long each bucket keeps its points; 0: for ever. */
  readonly retention?: Partial<Record<BucketRole, Millis>>
  /** The server's token is replaced where there is one already. */
  readonly rotate?: boolean
  /** Makes a token for Grafana that may read only; replaced with `rotate`. */
  readonly grafana?: boolean
}

export interface SetupResult {
  /** What was made or changed, one line each; empty when all stood as it should. */
  readonly done: readonly string[]
  /** The server's token: may read and write exactly these buckets. Null where there is one already: InfluxDB tells it only once. */
  readonly token: string | null
  readonly grafanaToken: string | null
}

/** A reading is raw evidence for a year and some weeks; hourly sums for ten years (regulations ask for yearly reports, boards for trends). */
export const DEFAULT_RETENTION: Readonly<Record<BucketRole, Millis>> = { readings: 400 * DAY, hourly: 3_650 * DAY, daily: 0, context: 0 }

/** Tokens are known by their description, which follows the bucket's name: two installations may share an organisation. */
const serverToken = (bucket: string): string => bucket
const grafanasToken = (bucket: string): string => `${bucket} grafana, read only`

const ROLES = Object.keys(BUCKETS) as BucketRole[]
const TIMEOUT_MS = 30_000
/** InfluxDB keeps less than an hour for nobody. */
const SHORTEST_RETENTION: Millis = 3_600_000

/** Makes what is missing, changes what differs, leaves the rest; calling it again changes nothing. Throws an InfluxStoreError. */
export async function setupInflux(options: SetupOptions): Promise<SetupResult> {
  const influx = new InfluxDB({ url: options.url, token: options.adminToken, timeout: TIMEOUT_MS })
  const done: string[] = []
  try {
    const orgId = await ensureOrg(new OrgsAPI(influx), options.org, done)
    const bucketIds: string[] = []
    for (const role of ROLES) bucketIds.push(await ensureBucket(new BucketsAPI(influx), { orgId, role, options }, done))
    const tokens = new Tokens(new AuthorizationsAPI(influx), orgId, done)
    const rotate = options.rotate ?? false
    const token = await tokens.ensure(serverToken(options.bucket), permissions(orgId, bucketIds, ['read', 'write']), rotate)
    const grafanaToken = options.grafana
      ? await tokens.ensure(grafanasToken(options.bucket), permissions(orgId, bucketIds, ['read']), rotate)
      : null
    return { done, token, grafanaToken }
  } catch (cause) {
    throw influxError(cause, new URL(options.url).host, false)
  }
}

async function ensureOrg(orgs: OrgsAPI, name: string, done: string[]): Promise<string> {
  const found = await orgs.getOrgs({ org: name }).catch((error: unknown) => {
    if (isMissing(error)) return { orgs: [] }
    throw error
  })
  const [known] = found.orgs ?? []
  if (known?.id) return known.id
  const made = await orgs.postOrgs({ body: { name } })
  done.push(`organisation ${name} made`)
  return idOf(made)
}

async function ensureBucket(
  buckets: BucketsAPI,
  { orgId, role, options }: { orgId: string; role: BucketRole; options: SetupOptions },
  done: string[]
): Promise<string> {
  const name = bucketName(options.bucket, role)
  const everySeconds = retentionSeconds(options, role)
  const found = await buckets.getBuckets({ orgID: orgId, name }).catch((error: unknown) => {
    if (isMissing(error)) return { buckets: [] }
    throw error
  })
  const known = found.buckets?.find(bucket => bucket.name === name)
  if (!known) {
    const made = await buckets.postBuckets({ body: { orgID: orgId, name, retentionRules: rules(everySeconds) } })
    done.push(`bucket ${name} made, ${keeps(everySeconds)}`)
    return idOf(made)
  }
  if (everySecondsOf(known) !== everySeconds) {
    await buckets.patchBucketsID({ bucketID: idOf(known), body: { retentionRules: rules(everySeconds) } })
    done.push(`bucket ${name} now ${keeps(everySeconds)}`)
  }
  return idOf(known)
}

function retentionSeconds({ retention }: SetupOptions, role: BucketRole): number {
  const ms = retention?.[role] ?? DEFAULT_RETENTION[role]
  if (ms !== 0 && ms < SHORTEST_RETENTION)
    throw new InfluxStoreError('QT_INFLUX_SETUP', `retention of ${role}: InfluxDB keeps points for an hour at least`)
  return Math.round(ms / 1_000)
}

type Rules = { type: 'expire'; everySeconds: number; shardGroupDurationSeconds?: number }[]

const rules = (everySeconds: number): Rules => [{ type: 'expire', everySeconds }]
const everySecondsOf = (bucket: Bucket): number => bucket.retentionRules[0]?.everySeconds ?? 0
const keeps = (seconds: number): string => (seconds === 0 ? 'keeps for ever' : `keeps ${seconds / 86_400} days`)

function permissions(orgId: string, bucketIds: readonly string[], actions: readonly Permission['action'][]): Permission[] {
  return bucketIds.flatMap(id => actions.map(action => ({ action, resource: { type: 'buckets' as const, id, orgID: orgId } })))
}

/** Tokens of ours, known by their description. */
class Tokens {
  readonly #api: AuthorizationsAPI
  readonly #orgId: string
  readonly #done: string[]

  constructor(api: AuthorizationsAPI, orgId: string, done: string[]) {
    this.#api = api
    this.#orgId = orgId
    this.#done = done
  }

  /** A new token, or null where one with these rights stands and is to stay. */
  async ensure(description: string, wanted: Permission[], rotate: boolean): Promise<string | null> {
    const all = (await this.#api.getAuthorizations({ orgID: this.#orgId })).authorizations ?? []
    const known = all.filter(token => token.description === description)
    if (!rotate && known.some(token => token.status === 'active' && covers(token, wanted))) return null
    const made = await this.#api.postAuthorizations({ body: { orgID: this.#orgId, description, permissions: wanted } })
    this.#done.push(`token "${description}" made`)
    // The new one first: a stop in between leaves one that works.
    for (const old of known) await this.#remove(old)
    if (!made.token) throw new InfluxStoreError('QT_INFLUX_SETUP', 'InfluxDB made a token and did not tell it')
    return made.token
  }

  async #remove(token: Authorization): Promise<void> {
    await this.#api.deleteAuthorizationsID({ authID: idOf(token) })
    this.#done.push(`an older token "${token.description}" removed`)
  }
}

const rightOf = ({ action, resource }: Permission): string => `${action} ${resource.type} ${resource.id ?? '*'}`

/** Exactly these rights: one with more is replaced as well. */
function covers(token: Authorization, wanted: readonly Permission[]): boolean {
  const has = new Set((token.permissions ?? []).map(rightOf))
  return has.size === wanted.length && wanted.every(permission => has.has(rightOf(permission)))
}

function idOf({ id }: { readonly id?: string }): string {
  if (!id) throw new InfluxStoreError('QT_INFLUX_SETUP', 'InfluxDB answered without an id')
  return id
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'statusCode' in error && error.statusCode === 404
