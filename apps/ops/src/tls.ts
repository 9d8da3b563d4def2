import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { Authority, Issued, Validity } from '#libs/adapters/tls'
import type { Station } from '#libs/model'
import { DAY } from '#libs/model'
import type { Registry } from '#libs/platform'
import { CodedError, loadRegistry } from '#libs/platform'
import { readingsTopic } from '#libs/wire'
import type { Call, Command } from './command.js'
import { textOption, usageError } from './command.js'

const DAYS = 365
/** The authority outlives what it signs. */
const AUTHORITY_DAYS = 3_650
const AUTHORITY_NAME = 'quantrac trial authority'
/** Clocks of loggers are behind now and then. */
const BACKDATED_MS = DAY
const MQTTS_PORT = 8883
const HTTPS_PORT = 8443

const selfSigned: Command = {
  words: 'tls self-signed',
  usage: '[--dir DIR] [--host NAME,…] [--days N] [--station CODE …] [--force]',
  help: 'certificates for a first trial: authority, server, stations',
  options: {
    dir: { type: 'string' },
    host: { type: 'string' },
    days: { type: 'string' },
    station: { type: 'string' },
    force: { type: 'boolean' }
  },
  async run(call) {
    const { config, print } = call
    const registry = await loadRegistry(config.registryDir, config.devicesDir)
    const order = orderOf(call, registry)
    const files = filesOf(order)
    refuseToOverwrite(order, files)
    for (const path of await make(order, files)) print(`made ${path}`)
    for (const line of whatNext(order, registry)) print(line)
    return 0
  }
}

interface Order {
  readonly dir: string
  readonly hosts: readonly string[]
  readonly stations: readonly string[]
  readonly days: number
  readonly force: boolean
  /** False where only stations are added to what is there. */
  readonly server: boolean
}

/** @throws CodedError QT_OPS_USAGE, QT_OPS_UNKNOWN_STATION */
function orderOf({ config, options, positional }: Call, { stations }: Registry): Order {
  const list = (name: string): string[] => textOption(options, name)?.split(',') ?? []
  const days = Number(textOption(options, 'days') ?? DAYS)
  if (!Number.isInteger(days) || days < 1 || days > AUTHORITY_DAYS) throw usageError(selfSigned, `--days is 1 to ${AUTHORITY_DAYS}`)
  const named = [...list('station'), ...positional]
  const unknown = named.filter(code => !stations.some(station => station.code === code))
  if (unknown.length > 0) throw new CodedError('QT_OPS_UNKNOWN_STATION', `not in the registry ${config.registryDir}: ${unknown.join(', ')}`)
  const dir = resolve(textOption(options, 'dir') ?? join(config.dataDir, 'tls'))
  const asked = list('host')
  const hosts = asked.length > 0 ? asked : [...new Set(['localhost', hostname(), '127.0.0.1', '::1'])]
  const force = options['force'] === true
  const onlyStations = named.length > 0 && !force && asked.length === 0 && existsSync(join(dir, 'server.pem'))
  return { dir, hosts, stations: named, days, force, server: !onlyStations }
}

interface Pair {
  readonly cert: string
  readonly key: string
}

interface Files {
  readonly authority: Pair
  readonly server: Pair
  readonly stations: ReadonlyMap<string, Pair>
}

function filesOf({ dir, stations }: Order): Files {
  const pair = (name: string): Pair => ({ cert: join(dir, `${name}.pem`), key: join(dir, `${name}-key.pem`) })
  return { authority: pair('ca'), server: pair('server'), stations: new Map(stations.map(code => [code, pair(code)])) }
}

/** @throws CodedError QT_OPS_TLS_EXISTS before anything is written */
function refuseToOverwrite({ server, force }: Order, files: Files): void {
  if (existsSync(files.authority.cert) !== existsSync(files.authority.key)) {
    const both = `${files.authority.cert}, ${files.authority.key}`
    throw new CodedError('QT_OPS_TLS_EXISTS', `only one file of the authority is there (${both}): bring the other, or name another --dir`)
  }
  if (force) return
  const pairs = [...(server ? [files.server] : []), ...files.stations.values()]
  const there = pairs.flatMap(({ cert, key }) => [cert, key]).filter(path => existsSync(path))
  if (there.length > 0)
    throw new CodedError('QT_OPS_TLS_EXISTS', `${there.join(', ')}: there already; --force makes new ones in their place`)
}

/** Returns the files that were written. */
async function make(order: Order, files: Files): Promise<string[]> {
  await mkdir(order.dir, { recursive: true, mode: 0o700 })
  const written: string[] = []
  const write = async (pair: Pair, made: Issued, chain = ''): Promise<void> => {
    await put(pair.key, made.key, 0o600)
    await put(pair.cert, made.cert + chain, 0o644)
    written.push(pair.cert, pair.key)
  }
  const existing = existsSync(files.authority.key)
  const authority = await openAuthority(files.authority, existing)
  if (!existing) await write(files.authority, authority.pem)
  const validity = validFor(order.days)
  if (order.server) await write(files.server, await authority.server(order.hosts, validity), authority.pem.cert)
  for (const [code, pair] of files.stations) await write(pair, await authority.client(code, validity))
  return written
}

async function openAuthority({ cert, key }: Pair, existing: boolean): Promise<Authority> {
  const { Authority } = await import('#libs/adapters/tls') // 200 ms that the other commands need not wait for
  if (!existing) return Authority.create(AUTHORITY_NAME, validFor(AUTHORITY_DAYS))
  return Authority.load({ cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') })
}

/** Whole or not at all: a server may be reading. */
async function put(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode, flag: 'w' })
  await rename(`${path}.new`, path)
}

function validFor(days: number): Validity {
  const now = Date.now()
  return { notBefore: new Date(now - BACKDATED_MS), notAfter: new Date(now + days * DAY) }
}

/** What a person types next. */
function whatNext(order: Order, registry: Registry): string[] {
  const { dir, hosts } = order
  const [host = 'localhost'] = hosts
  const settings = [
    `QUANTRAC_TLS_CERT=${join(dir, 'server.pem')}`,
    `QUANTRAC_TLS_KEY=${join(dir, 'server-key.pem')}`,
    `QUANTRAC_TLS_CLIENT_CA=${join(dir, 'ca.pem')}`,
    `QUANTRAC_MQTTS_PORT=${MQTTS_PORT}`,
    `QUANTRAC_HTTPS_PORT=${HTTPS_PORT}`
  ]
  const stations = order.stations.flatMap(code => registry.stations.filter(station => station.code === code))
  return [
    '',
    'set, and start the server:',
    ...settings.map(line => `  ${line}`),
    'then:',
    `  curl --cacert ${join(dir, 'ca.pem')} https://${host}:${HTTPS_PORT}/health/ready`,
    ...stations.map(station => `  ${publishLine(station, { dir, host }, registry)}`),
    '',
    `whoever has ${join(dir, 'ca-key.pem')} can be every station: keep it off the server`
  ]
}

function publishLine(station: Station, { dir, host }: { dir: string; host: string }, { profiles }: Registry): string {
  const pair = `--cert ${join(dir, `${station.code}.pem`)} --key ${join(dir, `${station.code}-key.pem`)}`
  const json = profiles.get(station.profile)?.profile.dialect === 'quantrac-json'
  const parameter = station.parameters.includes('COD') ? 'COD' : station.parameters[0]
  const payload = json ? `-m '{"at":"'$(date -Iseconds)'","readings":{"${parameter}":60.5}}'` : '-f FILE-OF-THE-DEVICE'
  return `mosquitto_pub -h ${host} -p ${MQTTS_PORT} --cafile ${join(dir, 'ca.pem')} ${pair} -q 1 -t ${readingsTopic(station.code)} ${payload}`
}

export const tlsCommands: readonly Command[] = [selfSigned]
