import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

/**
 * The layer rules of `.dependency-cruiser.cjs`, each seen at work: one small tree with the product's folders, a planted file that breaks
 * each rule, and a few files that may do what they do. The real command with the real rules reads all of it in one run.
 */

/** Rule → the file that breaks it (its imports, a line each). The rule, and no other, must report exactly this file. */
const PLANTED: Readonly<Record<string, { file: string; imports: readonly string[] }>> = {
  'no-circular': { file: 'libs/platform/src/circle-a.ts', imports: ['./circle-b.js'] },
  'no-unresolved': { file: 'libs/platform/src/lost.ts', imports: ['./nowhere.js'] },
  'model-is-a-leaf': { file: 'libs/model/src/curious.ts', imports: ['#libs/wire'] },
  'journal-is-a-leaf': { file: 'libs/journal/src/knows-readings.ts', imports: ['#libs/model'] },
  'rules-know-only-the-model': { file: 'libs/alarms/src/sibling.ts', imports: ['#libs/wire'] },
  'pure-has-no-io': { file: 'libs/wire/src/reads-files.ts', imports: ['node:fs'] },
  'pure-npm-allowlist': { file: 'libs/alarms/src/logs.ts', imports: ['pino'] },
  'zod-at-the-edges': { file: 'libs/alarms/src/parses.ts', imports: ['zod'] },
  'pipeline-looks-down': { file: 'libs/pipeline/src/sees-adapter.ts', imports: ['#libs/adapters/state'] },
  'adapters-do-not-meet': { file: 'libs/adapters/state/src/neighbour.ts', imports: ['#libs/adapters/store-sqlite'] },
  'nest-only-in-apps': { file: 'libs/pipeline/src/decorated.ts', imports: ['@nestjs/common'] },
  'aedes-has-one-home': { file: 'apps/telemetry/src/own-broker.ts', imports: ['aedes'] },
  'influx-has-one-home': { file: 'apps/telemetry/src/own-influx.ts', imports: ['@influxdata/influxdb-client'] },
  'sqlite-has-few-homes': { file: 'apps/telemetry/src/own-tables.ts', imports: ['better-sqlite3'] },
  'pg-has-few-homes': { file: 'apps/telemetry/src/own-postgres.ts', imports: ['pg'] },
  'libs-do-not-see-apps': { file: 'libs/platform/src/looks-up.ts', imports: ['../../../apps/telemetry/src/main.js'] },
  'simulators-are-outsiders': { file: 'simulators/fleet/src/insider.ts', imports: ['#libs/journal'] },
  'boards-name-what-is-stored': { file: 'dashboards/src/insider.ts', imports: ['#libs/pipeline'] },
  'boards-are-a-tool': { file: 'apps/telemetry/src/draws.ts', imports: ['../../../dashboards/src/main.js'] },
  'front-door-only': { file: 'apps/telemetry/src/back-door.ts', imports: ['../../../libs/model/src/reading.js'] },
  'testkit-in-tests-only': { file: 'apps/telemetry/src/ships-fakes.ts', imports: ['#libs/testkit'] },
  'real-servers-beside-tests': { file: 'apps/telemetry/src/ships-servers.ts', imports: ['#libs/test-servers'] },
  'test-servers-is-a-leaf': { file: 'libs/test-servers/src/knows-stations.ts', imports: ['#libs/model'] },
  'no-dev-packages-in-shipped-code': { file: 'libs/pipeline/src/ships-tools.ts', imports: ['fast-check'] }
}

/** What the planted files lean on, and files that come close to a rule without breaking it: nothing may be reported here. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'libs/platform/src/circle-b.ts': ['./circle-a.js'], // the other half of no-circular's plant
  'libs/model/src/reading.ts': [],
  'libs/model/src/reading.spec.ts': ['#libs/testkit', 'fast-check'],
  'libs/model/src/index.ts': ['./reading.js'],
  'libs/wire/src/index.ts': ['#libs/model', 'zod'],
  'libs/alarms/src/config.ts': ['zod'],
  'libs/alarms/src/index.ts': ['#libs/model', './config.js'],
  'libs/alarms/src/index.spec.ts': ['node:fs', '#libs/wire', '#libs/testkit', 'fast-check'],
  'libs/alarms/bench/load.bench.ts': ['node:perf_hooks', '../src/index.js'],
  'libs/journal/src/config.ts': ['zod'],
  'libs/journal/src/journal.spec.ts': ['#libs/testkit', '#libs/model'],
  'libs/journal/src/index.ts': ['better-sqlite3', 'node:fs', './config.js'],
  'libs/pipeline/src/index.ts': ['#libs/model', '#libs/wire', '#libs/alarms', '#libs/journal', 'node:events'],
  'libs/pipeline/src/path.spec.ts': ['#libs/adapters/state', '#libs/platform'],
  'libs/platform/src/index.ts': ['#libs/model', 'pino', 'zod', 'node:fs'],
  'libs/adapters/state/src/index.ts': ['better-sqlite3', 'pg', '#libs/model', '#libs/pipeline', '#libs/platform'],
  'libs/adapters/warehouse-postgres/src/index.ts': ['pg', '#libs/pipeline', '#libs/platform'],
  'libs/adapters/store-sqlite/src/index.ts': ['better-sqlite3', '#libs/pipeline'],
  'libs/adapters/store-sqlite/test/child.ts': ['#libs/testkit', '#libs/adapters/state'],
  'libs/adapters/broker-aedes/src/index.ts': ['aedes', 'better-sqlite3', '#libs/platform'],
  'libs/adapters/backup/src/index.ts': ['better-sqlite3', '#libs/model'],
  'libs/adapters/store-influx/src/index.ts': ['@influxdata/influxdb-client', '#libs/pipeline'],
  'dashboards/src/main.ts': ['#libs/adapters/store-influx', '#libs/model', 'node:fs'],
  'dashboards/src/boards.real.spec.ts': ['#libs/test-servers', '../../apps/telemetry/src/main.js'],
  'libs/test-servers/src/index.ts': ['node:child_process', 'testcontainers', 'pg'],
  'libs/adapters/store-influx/src/store.real.spec.ts': ['#libs/test-servers', '#libs/testkit'],
  'simulators/chaos/src/kill.ts': ['#libs/test-servers'],
  'simulators/warehouse/src/store.ts': ['better-sqlite3', '#libs/model'],
  'libs/testkit/src/index.ts': ['#libs/pipeline', 'fast-check'],
  'apps/telemetry/src/main.ts': ['@nestjs/common', '#libs/adapters/broker-aedes', '#libs/journal', '#libs/pipeline', 'zod'],
  'simulators/fleet/src/fleet.spec.ts': ['#libs/testkit', '../../../apps/telemetry/src/main.js'],
  'simulators/fleet/src/main.ts': ['#libs/model', '#libs/wire', '#libs/platform', 'node:net']
}

/** Stand-ins for packages: the rules see only where a package lies and what package.json says of it. */
const PACKAGES = [
  'zod',
  'pino',
  'pg',
  'aedes',
  'better-sqlite3',
  'fast-check',
  '@nestjs/common',
  '@influxdata/influxdb-client',
  'testcontainers'
]
const COPIED = ['.dependency-cruiser.cjs', 'package.json', 'tsconfig.json']

interface Cruise {
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[]
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] }
  }
}

const importLines = (imports: readonly string[]): string => [...imports.map(from => `import '${from}'`), 'export {}', ''].join('\n')

async function write(root: string, file: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, file)), { recursive: true })
  await writeFile(join(root, file), text)
}

async function plantTree(root: string): Promise<void> {
  for (const file of COPIED) await copyFile(file, join(root, file))
  for (const name of PACKAGES) {
    await write(root, `node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }))
    await write(root, `node_modules/${name}/index.js`, '')
  }
  for (const [file, imports] of Object.entries(ALLOWED)) await write(root, file, importLines(imports))
  for (const { file, imports } of Object.values(PLANTED)) await write(root, file, importLines(imports))
}

function cruise(root: string): Promise<Cruise> {
  const command = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const args = [command, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'apps', 'libs', 'simulators', 'dashboards']
  return new Promise((settle, fail) => {
    // Its exit code is 0 in JSON mode even where rules are broken; anything else is the tool's own failure.
    execFile(process.execPath, args, { cwd: root, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error) fail(new Error(`dependency-cruiser failed: ${stderr || stdout || error.message}`))
      else settle(JSON.parse(stdout) as Cruise)
    })
  })
}

describe('the layer rules', () => {
  let root = ''
  let result: Cruise
  const reportedBy = (rule: string): string[] =>
    result.summary.violations
      .filter(v => v.rule.name === rule)
      .map(v => v.from)
      .sort()

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'layers-'))
    await plantTree(root)
    result = await cruise(root)
  }, 60_000)

  afterAll(() => rm(root, { recursive: true, force: true }))

  it('have a planted violation each, and no plant is left over', () => {
    expect(Object.keys(PLANTED).sort()).toEqual(result.summary.ruleSetUsed.forbidden.map(rule => rule.name).sort())
  })

  it.each(Object.entries(PLANTED))('%s is seen where it is broken, and only there', (rule, { file }) => {
    expect(reportedBy(rule)).toEqual([file])
  })

  it.each(Object.entries(PLANTED))('nothing but %s reports its planted file', (rule, { file }) => {
    expect(result.summary.violations.filter(v => v.from === file).map(v => v.rule.name)).toEqual([rule])
  })

  it('say nothing about files that keep them', () => {
    expect(result.summary.violations.filter(v => v.from in ALLOWED).map(v => `${v.rule.name}: ${v.from}`)).toEqual([])
  })
})
