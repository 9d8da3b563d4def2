import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { readConfig } from '#libs/platform'
import { composeText, envFile, interpolate, readCompose, secretsOf, serviceOf } from './compose.js'
import { TestServer } from './server.js'

let scratch: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'quantrac-deploy-'))
})
afterEach(() => rmSync(scratch, { recursive: true, force: true }))

/** Names that are no settings of the server, as the message of a refused start tells. */
function unknownSettings(names: readonly string[]): string[] {
  try {
    readConfig(Object.fromEntries(names.map(name => [name, 'x'])))
    return []
  } catch (error) {
    return [...String(error).matchAll(/(QUANTRAC_\w+): no such setting/g)].map(match => String(match[1]))
  }
}

const TLS = 'deploy/compose.tls.yml'
const WAREHOUSE = 'deploy/compose.warehouse.yml'
interface Overlay {
  readonly environment: Record<string, string>
  readonly volumes: string[]
  readonly ports: string[]
}

const withoutFile = (name: string): string => name.replace(/_FILE$/, '')

describe('docker-compose.yml', () => {
  const compose = readCompose()
  const services = Object.entries(compose.services)

  it('holds every service to the rules: pinned, not root, read-only, no rights, limits, health', () => {
    expect(Object.keys(compose.services).sort()).toEqual(
      ['fleet', 'grafana', 'influxdb', 'mail', 'postgres', 'prometheus', 'setup', 'telemetry'].sort()
    )
    const unwatched = services.filter(([, { healthcheck }]) => 'disable' in healthcheck).map(([name]) => name)
    expect(unwatched.sort()).toEqual(['fleet', 'setup']) // one ends by itself, one offers nothing
    expect(services.filter(([, { profiles }]) => profiles).map(([name]) => name)).toEqual(['fleet', 'mail'])
  })

  it.each([
    ['an image without a version', text => text.replace('influxdb:2.9.1', 'influxdb:latest')],
    ['an image of a whole line', text => text.replace('postgres:15.18-bookworm', 'postgres:15')],
    ['a service as root', text => text.replace("user: '999:999'", "user: '0:0'")],
    ['a root that can be written', text => text.replace('read_only: true\n', 'read_only: false\n')],
    ['a service without limits', text => text.replace(/ {4}deploy: \{ resources.*pids: 500.*\n/, '')],
    ['a service without health check', text => text.replace(/ {4}healthcheck:\n {6}test: \[CMD, influx[\s\S]*?60s\n/, '')],
    ['a dependency that need not be healthy', text => text.replace('condition: service_healthy', 'condition: service_started')],
    ['a key nobody thought about', text => text.replace('    shm_size', '    privileged: true\n    shm_size')],
    ['a secret in the file', text => text.replace('{ file: ./secrets/state_url }', '{ environment: STATE_URL }')]
  ] satisfies [string, (text: string) => string][])('the rules find %s', (_what, spoil) => {
    expect(spoil(composeText())).not.toBe(composeText())
    expect(() => readCompose(spoil(composeText()))).toThrow()
  })

  it('takes every secret from a file that make-secrets.sh makes, and gives it to who needs it only', () => {
    const declared = Object.keys(compose.secrets)
    const used = services.flatMap(([, service]) => Object.keys(secretsOf(service)))
    expect([...new Set(used)].sort()).toEqual(declared.sort())
    for (const [, service] of services) {
      const { environment = {} } = service
      const named = Object.values(environment).filter(value => /^\/run\/(secrets|grafana)\//.test(value))
      expect(named.sort()).toEqual(Object.values(secretsOf(service)).sort())
      const plain = Object.keys(environment).filter(
        name => /PASSWORD|TOKEN|SECRET|STATE_URL|SMTP_URL/.test(name) && !name.endsWith('_FILE')
      )
      expect(plain).toEqual([])
    }
  })

  it('sets only settings that the server knows, with values that it takes', () => {
    const ours = services.filter(([, { build }]) => build)
    const settings = ours.flatMap(([, { environment = {} }]) => Object.keys(environment).filter(name => name.startsWith('QUANTRAC_')))
    expect(settings.length).toBeGreaterThan(15)
    expect(unknownSettings(settings.map(withoutFile))).toEqual([])
    writeFileSync(join(scratch, 'secret'), 'postgres://quantrac:x@postgres:5432/quantrac')
    writeFileSync(join(scratch, 'smtp'), 'smtp://mail:1025')
    const environment = Object.entries(serviceOf(compose, 'telemetry').environment ?? {}).map(([name, value]) => {
      const file = name.includes('SMTP') ? 'smtp' : 'secret'
      return [name, name.endsWith('_FILE') ? join(scratch, file) : interpolate(value)] as const
    })
    expect(readConfig(Object.fromEntries(environment))).toMatchObject({
      demo: false,
      stateUrl: expect.stringMatching(/^postgres:/),
      influx: { url: 'http://influxdb:8086' },
      smtp: { from: 'quantrac@localhost' }
    })
  })

  it('names InfluxDB, buckets and organisation alike everywhere', () => {
    const environments = ['telemetry', 'setup', 'grafana'].map(name => serviceOf(compose, name).environment ?? {})
    for (const name of ['QUANTRAC_INFLUX_URL', 'QUANTRAC_INFLUX_ORG', 'QUANTRAC_INFLUX_BUCKET'])
      expect(new Set(environments.map(environment => environment[name])).size).toBe(1)
    const influx = serviceOf(compose, 'influxdb').environment ?? {}
    expect(influx['DOCKER_INFLUXDB_INIT_ORG']).toBe(environments[0]?.['QUANTRAC_INFLUX_ORG'])
  })

  it('offers on this machine alone, unless .env says otherwise', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? [])
    expect(ports.map(port => interpolate(port))).toEqual([
      '127.0.0.1:8080:8080',
      '127.0.0.1:1883:1883',
      '127.0.0.1:3000:3000',
      '127.0.0.1:8025:8025'
    ])
    const opened = ports.map(port => interpolate(port, { PUBLISH_ADDRESS: '0.0.0.0' })).filter(port => port.startsWith('0.0.0.0'))
    expect(opened).toHaveLength(2) // Grafana and the mail catcher never leave the machine
  })

  it('mounts only what is in the repository or is a volume', () => {
    const volumes = Object.keys(compose.volumes)
    const used = new Set<string>()
    for (const [, { volumes: mounts = [] }] of services) {
      for (const mount of mounts) {
        const source = typeof mount === 'string' ? String(interpolate(mount).split(':')[0]) : mount.source
        if (!source.startsWith('.')) {
          expect(volumes).toContain(source)
          used.add(source)
        } else {
          expect(mount).toMatch(/:ro$/)
          // The boards are made by code; in a tree without them Docker would make an empty folder.
          if (existsSync('dashboards') || !source.startsWith('./dashboards')) expect(existsSync(source)).toBe(true)
        }
      }
    }
    expect([...used].sort()).toEqual(volumes.sort())
  })

  it('.env.example has every variable of the file, with the default of the file, and no other', () => {
    const text = [composeText(), ...[TLS, WAREHOUSE].map(path => readFileSync(path, 'utf8'))].join('')
    const variables = [...text.matchAll(/\$\{(\w+):-([^}]*)\}/g)]
    const used: Record<string, string> = Object.fromEntries(variables.map(match => [String(match[1]), String(match[2])]))
    expect(envFile('.env.example')).toEqual(used)
    expect(text).not.toMatch(/\$(?!\{\w+:-)/)
  })

  it('Prometheus asks services of the composition, with the token that setup makes', () => {
    const config = parse(readFileSync('deploy/prometheus.yml', 'utf8')) as {
      scrape_configs: { static_configs: { targets: string[] }[]; authorization?: { credentials_file: string } }[]
    }
    const hosts = config.scrape_configs.flatMap(job =>
      job.static_configs.flatMap(({ targets }) => targets.map(target => target.split(':')[0]))
    )
    expect(hosts.filter(host => host !== '127.0.0.1' && !compose.services[String(host)])).toEqual([])
    expect(config.scrape_configs[0]?.authorization?.credentials_file).toBe('/generated/metrics_token')
    expect(readFileSync('deploy/container/setup.mjs', 'utf8')).toContain("'prometheus', 'metrics_token'")
  })
})

describe(TLS, () => {
  const { telemetry } = (parse(readFileSync(TLS, 'utf8')) as { services: { telemetry: Overlay } }).services

  it('adds encrypted listeners with files that the mount has, and changes nothing else', () => {
    expect(Object.keys(telemetry)).toEqual(['environment', 'volumes', 'ports'])
    expect(readConfig(telemetry.environment)).toMatchObject({
      tls: { cert: '/run/tls/server.pem', clientCa: '/run/tls/ca.pem' },
      mqtt: { tlsPort: 8883 },
      http: { tlsPort: 8443 }
    })
    expect(telemetry.volumes).toEqual(['./secrets/tls:/run/tls:ro'])
    const published = telemetry.ports.map(port => Number(port.split(':').at(-1)))
    expect(published).toEqual([8883, 8443])
    for (const port of published) expect(readFileSync('Dockerfile', 'utf8')).toMatch(new RegExp(`^EXPOSE .*\\b${port}\\b`, 'm'))
  })

  it('names the files as `ops tls self-signed` does', () => {
    const made = readFileSync('apps/ops/src/tls.ts', 'utf8')
    for (const name of ['server.pem', 'server-key.pem', 'ca.pem']) expect(made).toContain(name)
  })
})

describe(WAREHOUSE, () => {
  const overlay = parse(readFileSync(WAREHOUSE, 'utf8')) as {
    services: { telemetry: { environment: Record<string, string>; secrets: string[] } }
    secrets: Record<string, { file: string }>
  }

  it('names a warehouse, and its secret in a file', () => {
    const { environment, secrets } = overlay.services.telemetry
    expect(secrets).toEqual(Object.keys(overlay.secrets))
    expect(environment['QUANTRAC_WAREHOUSE_CLIENT_SECRET_FILE']).toBe(`/run/secrets/${secrets[0]}`)
    writeFileSync(join(scratch, 'secret'), 'a secret')
    const settings = Object.entries(environment).map(
      ([name, value]) => [name, name.endsWith('_FILE') ? join(scratch, 'secret') : interpolate(value)] as const
    )
    expect(readConfig(Object.fromEntries(settings)).warehouse).toMatchObject({
      url: 'https://warehouse.example/api',
      client: { id: 'quantrac', secret: 'a secret' }
    })
  })
})

describe('dashboards/provisioning', () => {
  const file = 'dashboards/provisioning/datasources/quantrac.yaml'
  const grafana = serviceOf(readCompose(), 'grafana')

  it('finds its variables and its token in the service grafana', () => {
    if (!existsSync(file)) return console.warn(`${file} is not made yet`)
    const text = readFileSync(file, 'utf8')
    const variables = [...text.matchAll(/\$\{?(QUANTRAC_\w+)/g)].map(match => String(match[1]))
    expect(variables.filter(name => grafana.environment?.[name] === undefined)).toEqual([])
    for (const [, token] of text.matchAll(/\$__file\{(.*?)\}/g)) expect(token).toBe('/run/secrets/quantrac_grafana_influx_token')
    expect(readFileSync('deploy/container/setup.mjs', 'utf8')).toContain("'grafana', 'quantrac_grafana_influx_token'")
  })
})

describe('Dockerfile', () => {
  const dockerfile = readFileSync('Dockerfile', 'utf8')
  const [, build = '', final = ''] = dockerfile.split(/^FROM /m)

  it('has two stages of one pinned Node, and the second cannot build anything', () => {
    const versions = [build, final].map(stage => /^node:(\d+\.\d+\.\d+)-bookworm(-slim)?(?= |\n)/.exec(stage)?.[1])
    expect(versions[0]).toBe(versions[1])
    expect(Number(versions[0]?.split('.')[0])).toBe(24)
    expect(final).toMatch(/^node:\S+-slim\n/)
    expect(final).not.toMatch(/apt-get|npm (ci|install)|make\b/)
    expect(final).toContain('rm -rf /usr/local/lib/node_modules')
  })

  it('runs as the user of docker-compose.yml, not as root, with a health check and SIGTERM', () => {
    const user = /^USER (\S+)$/m.exec(final)?.[1]
    expect(user).toBe(serviceOf(readCompose(), 'telemetry').user)
    expect(final.indexOf('USER ')).toBeGreaterThan(final.indexOf('useradd'))
    expect(final).toMatch(/^HEALTHCHECK .*healthy\.mjs/m)
    expect(final).toMatch(/^STOPSIGNAL SIGTERM$/m)
    expect(final).toMatch(/^VOLUME \["\/data"\]$/m)
  })

  it('compiles better-sqlite3 by the script that mends the headers, and tries it in the final image', () => {
    expect(build).toContain('RUN npm run -s setup')
    expect(build).not.toMatch(/npm ci\b(?!`)/)
    expect(final).toContain(`require('better-sqlite3')`)
  })

  it('copies only what is there, and .dockerignore lets in nothing secret', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(?:--chmod=\S+ )?(.+) \S+$/gm)].flatMap(match => String(match[1]).split(' '))
    for (const path of copied) expect(existsSync(path)).toBe(true)
    const ignore = readFileSync('.dockerignore', 'utf8').split('\n')
    expect(ignore.find(line => line !== '' && !line.startsWith('#'))).toBe('*')
    const letIn = ignore.filter(line => line.startsWith('!')).map(line => line.slice(1))
    expect(letIn).not.toEqual(expect.arrayContaining([expect.stringMatching(/secrets|\.env|data|\.git/)]))
  })
})

describe('deploy/make-secrets.sh', () => {
  const make = (): string => execFileSync('sh', ['deploy/make-secrets.sh'], { cwd: scratch, encoding: 'utf8' })
  const secret = (name: string): string => readFileSync(join(scratch, 'secrets', name), 'utf8')

  beforeEach(() => {
    mkdirSync(join(scratch, 'deploy'))
    cpSync('deploy/make-secrets.sh', join(scratch, 'deploy/make-secrets.sh'))
  })

  it('makes each secret of docker-compose.yml, at random, in a folder that is closed', () => {
    make()
    const names = Object.keys(readCompose().secrets)
    expect(readdirSync(join(scratch, 'secrets')).sort()).toEqual(names.sort())
    expect(statSync(join(scratch, 'secrets')).mode & 0o777).toBe(0o700)
    expect(statSync(join(scratch, 'secrets/state_url')).mode & 0o777).toBe(0o644)
    const random = ['influx_password', 'influx_admin_token', 'postgres_password', 'grafana_password'].map(secret)
    expect(new Set(random).size).toBe(4)
    for (const text of random) expect(text).toMatch(/^[A-Za-z0-9]{24,64}$/)
    expect(secret('state_url')).toBe(`postgres://quantrac:${secret('postgres_password')}@postgres:5432/quantrac`)
  })

  it('keeps what is there', () => {
    make()
    const before = secret('influx_admin_token')
    expect(make()).not.toContain('made')
    expect(secret('influx_admin_token')).toBe(before)
  })

  it('writes where git does not look', () => {
    execFileSync('git', ['init', '--quiet'], { cwd: scratch }) // a copy of the product need not be a repository
    cpSync('.gitignore', join(scratch, '.gitignore'))
    const ignored = (path: string): boolean => spawnSync('git', ['check-ignore', '--quiet', path], { cwd: scratch }).status === 0
    for (const path of ['secrets/state_url', '.env']) expect(ignored(path)).toBe(true)
    expect(ignored('.env.example')).toBe(false)
  })
})

describe('deploy/systemd', () => {
  const units = ['quantrac.service', 'quantrac-backup.service', 'quantrac-backup.timer']

  it('systemd finds nothing wrong with the units', () => {
    for (const name of units) cpSync(join('deploy/systemd', name), join(scratch, name))
    for (const name of units.slice(0, 2)) {
      mkdirSync(join(scratch, `${name}.d`))
      cpSync('deploy/systemd/secrets.conf', join(scratch, `${name}.d`, 'secrets.conf'))
      // The programs of an installation are not on this machine; their paths are looked at below.
      writeFileSync(join(scratch, `${name}.d`, 'zz-here.conf'), '[Service]\nExecStart=\nExecStart=/bin/true\n')
    }
    const { status, stderr, stdout, error } = spawnSync('systemd-analyze', ['verify', ...units.map(name => join(scratch, name))], {
      encoding: 'utf8'
    })
    if (error) return console.warn('systemd-analyze is not on this machine: the units were not checked by it')
    expect(`${stdout}${stderr}`).toBe('') // it warns of unknown keys, and ends with 0 all the same
    expect(status).toBe(0)
  })

  it('the units start files that a release has, with settings that the server knows', () => {
    const texts = readdirSync('deploy/systemd').map(name => readFileSync(join('deploy/systemd', name), 'utf8'))
    expect(texts.join('\n')).toContain('dist/apps/telemetry/src/main.js')
    expect(existsSync('dist/apps/telemetry/src/main.js')).toBe(true)
    expect(existsSync('deploy/backup.sh')).toBe(true)
    const settings = texts.flatMap(text => [...text.matchAll(/\b(QUANTRAC_[A-Z_]+)=/g)].map(match => String(match[1])))
    expect(settings.length).toBeGreaterThan(8)
    expect(unknownSettings(settings.map(withoutFile))).toEqual([])
  })

  it('each secret of the drop-in is loaded and named', () => {
    const text = readFileSync('deploy/systemd/secrets.conf', 'utf8')
    const loaded = [...text.matchAll(/^LoadCredential=(\w+):\/etc\/quantrac\/secrets\/(\w+)$/gm)]
    expect(loaded.map(match => match[1])).toEqual(loaded.map(match => match[2]))
    expect([...text.matchAll(/_FILE=%d\/(\w+)$/gm)].map(match => match[1])).toEqual(loaded.map(match => match[1]))
  })
})

describe('deploy/quantrac-ops', () => {
  it('runs the command line with the settings and the secrets of the installation', () => {
    mkdirSync(join(scratch, 'secrets'))
    writeFileSync(join(scratch, 'quantrac.env'), '# comment\nQUANTRAC_DEMO=off\n#QUANTRAC_INFLUX_URL=x\nQUANTRAC_LOG_LEVEL=loud\n')
    writeFileSync(join(scratch, 'secrets', 'state_url'), 'mysql://wrong')
    writeFileSync(join(scratch, 'secrets', 'smtp_url'), 'http://wrong')
    // The paths and the user of an installation are not on this machine.
    const script = readFileSync('deploy/quantrac-ops', 'utf8')
      .replace('etc=/etc/quantrac', `etc=${scratch}`)
      .replace('cd /opt/quantrac/current', `cd ${resolve('.')}`)
      .replace(/setpriv .*\n/, '')
    expect(script).not.toContain('setpriv')
    const { status, stderr } = spawnSync('sh', ['-c', script, 'quantrac-ops', 'token', 'list'], {
      env: { PATH: `${resolve(process.execPath, '..')}:${process.env['PATH']}` },
      encoding: 'utf8'
    })
    expect(status).toBe(1)
    for (const name of ['QUANTRAC_LOG_LEVEL', 'QUANTRAC_STATE_URL', 'QUANTRAC_SMTP_URL']) expect(stderr).toContain(`${name}: `)
    expect(stderr).not.toMatch(/no such setting|INFLUX/)
  })
})

describe('deploy/backup.sh', () => {
  it('makes a verified backup and deletes only old ones', async () => {
    const server = await TestServer.start()
    try {
      const old = join(scratch, '2026-01-01T021700')
      const other = join(scratch, 'keep-me')
      for (const path of [old, other]) {
        mkdirSync(path)
        utimesSync(path, 0, 0)
      }
      const output = execFileSync('sh', [resolve('deploy/backup.sh'), scratch], {
        env: { ...server.env, PATH: `${resolve(process.execPath, '..')}:${process.env['PATH']}` },
        encoding: 'utf8'
      })
      const left = readdirSync(scratch).sort()
      expect(left).toEqual([expect.stringMatching(/^20\d\d-\d\d-\d\dT\d{6}$/), 'keep-me'])
      expect(output).toContain(`backup ${join(scratch, String(left[0]))} is sound`)
    } finally {
      await server.dispose()
    }
  })
})
