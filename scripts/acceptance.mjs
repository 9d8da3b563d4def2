// What a person does first, with the real programs: the demo, Debian's mosquitto_pub and mosquitto_sub, a webhook receiver,
// kill -9. Prints one line per check and closes with `N passed, M failed`; exit 1 when one failed.
// `--store influx` and `--state postgres` keep the data in a real InfluxDB 2 and PostgreSQL, started for it.
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'

const run = promisify(execFile)
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const dataDir = mkdtempSync(join(tmpdir(), 'quantrac-acceptance-'))
const fullDir = mkdtempSync(join(tmpdir(), 'quantrac-full-'))
const { freePort } = await import('../dist/libs/test-servers/src/index.js')
const [httpPort, mqttPort] = [await freePort(), await freePort()]
const { values } = parseArgs({ options: { store: { type: 'string', default: 'sqlite' }, state: { type: 'string', default: 'sqlite' } } })
const { Backends } = await import('../dist/simulators/chaos/src/backends.js')
const backends = await Backends.start(values)
const settings = await backends.setUp(async (given, words) => {
  const { stdout } = await run(process.execPath, ['dist/apps/ops/src/main.js', ...words], { env: { ...process.env, ...given } })
  return stdout
})
const base = `http://127.0.0.1:${httpPort}/api/v1`
const env = {
  ...process.env,
  ...settings,
  QUANTRAC_DATA_DIR: dataDir,
  QUANTRAC_HTTP_PORT: String(httpPort),
  QUANTRAC_MQTT_PORT: String(mqttPort),
  QUANTRAC_DEMO: 'on'
}
const children = new Set()
let output = ''
let passed = 0
let failed = 0

function start() {
  const child = spawn(process.execPath, ['--enable-source-maps', 'dist/apps/telemetry/src/main.js'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
  return child
}

async function end(child, signal) {
  const exited = new Promise(resolve => child.once('exit', resolve))
  child.kill(signal)
  await exited
}

const ops = async (...words) => (await run(process.execPath, ['dist/apps/ops/src/main.js', ...words], { env })).stdout.trim()
const get = async path => (await fetch(base + path)).json()

async function until(ask, seconds) {
  const deadline = Date.now() + seconds * 1_000
  for (;;) {
    const answer = await ask().catch(() => null)
    if (answer) return answer
    if (Date.now() > deadline) return null
    await sleep(50)
  }
}

async function check(name, work) {
  const began = Date.now()
  try {
    const detail = await work()
    passed++
    console.log(`ok      ${name}${detail ? `: ${detail}` : ''} (${Date.now() - began} ms)`)
  } catch (error) {
    failed++
    console.log(`FAILED  ${name}: ${error.message}`)
  }
}

function expect(truth, message) {
  if (!truth) throw new Error(message)
}

const ready = () => until(async () => (await fetch(`http://127.0.0.1:${httpPort}/health/ready`)).status === 200, 30)

let server = start()
const startedAt = Date.now()
const hooks = []
const receiver = createServer((request, response) => {
  let body = ''
  request.on('data', chunk => (body += chunk))
  request.on('end', () => {
    hooks.push({ at: Date.now(), body: JSON.parse(body) })
    response.end()
  })
})
await new Promise(resolve => receiver.listen(0, '127.0.0.1', resolve))

try {
  await check('the demo starts and prints an address and a mosquitto_pub line', async () => {
    expect(await ready(), `not ready: ${output}`)
    expect(await until(async () => /mosquitto_pub .*-m '/.test(output), 10), output)
    return /HTTP on (\S+)/.exec(output)?.[1]
  })

  await check('the printed mosquitto_pub line works, and the reading is answered', async () => {
    const line = /mosquitto_pub .*/.exec(output)[0]
    await run('sh', ['-c', line])
    const [, station] = /-u (\S+)/.exec(line)
    const found = await until(async () => {
      const { items } = await get(`/series/${station}/COD/readings?from=${Date.now() - 60_000}&limit=1000`)
      return items.find(item => item.value === 60.5)
    }, 10)
    expect(found, 'the reading did not come back')
    return `${station} ${found.value} ${found.unit} at ${found.at}`
  })

  await check('mosquitto_pub -q 1 with a secret of ops publishes a reading', async () => {
    const { items } = await get('/stations')
    const station = items.find(item => item.parameters.includes('WaterLevel')).code
    const secret = await ops('station', 'secret', station)
    const at = Date.now() - 30_000
    const message = JSON.stringify({ at, readings: { WaterLevel: 1.234 } })
    const args = ['-h', '127.0.0.1', '-p', String(mqttPort), '-u', station, '-P', secret, '-i', 'acceptance', '-q', '1']
    await run('mosquitto_pub', [...args, '-t', `quantrac/v1/${station}/readings`, '-m', message])
    const found = await until(async () => (await get(`/series/${station}/WaterLevel/readings?from=${at}&to=${at + 1}`)).items[0], 10)
    expect(found?.value === 1.234, 'the reading did not come back')
  })

  await check('an exceedance arrives at a webhook within a second', async () => {
    await ops('recipient', 'add', '--channel', 'webhook', '--target', `http://127.0.0.1:${receiver.address().port}/hook`)
    const station = 'AG-KCN-THANHLOC-01'
    const secret = await ops('station', 'secret', station)
    const publish = message =>
      run('mosquitto_pub', [
        ...['-h', '127.0.0.1', '-p', String(mqttPort), '-u', station, '-P', secret, '-i', 'acceptance-2', '-q', '1'],
        ...['-t', `quantrac/v1/${station}/readings`, '-m', JSON.stringify(message)]
      ])
    const now = Date.now()
    await publish([1, 2, 3].map(i => ({ at: now + i * 500, readings: { NH4: 45 } })))
    const acknowledgedAt = Date.now()
    const hook = await until(async () => hooks.find(h => h.body.alarm?.station === station && h.body.alarm?.parameter === 'NH4'), 10)
    expect(hook, 'nothing arrived')
    expect(hook.at - acknowledgedAt < 1_000, `it took ${hook.at - acknowledgedAt} ms`)
    return `${Math.max(0, hook.at - acknowledgedAt)} ms after mosquitto_pub ended`
  })

  await check('within 60 s latest shows fresh readings of all example stations', async () => {
    const { items: stations } = await get('/stations')
    const fresh = async () => {
      const { items } = await get('/latest?limit=1000')
      const seen = new Set(items.filter(item => Date.now() - Date.parse(item.at) < 60_000).map(item => item.station))
      return stations.every(station => seen.has(station.code)) && items.length
    }
    const count = await until(fresh, 60 - (Date.now() - startedAt) / 1_000)
    expect(count, 'not all stations are fresh')
    return `${stations.length} stations, ${count} series, ${Date.now() - startedAt} ms after the start`
  })

  await check('within 60 s the scenario has raised an alarm and it has cleared', async () => {
    const cleared = await until(
      async () =>
        (await get('/alarms?limit=1000')).items.find(a => a.kind === 'limit' && a.clearedAt && a.station !== 'AG-KCN-THANHLOC-01'),
      60 - (Date.now() - startedAt) / 1_000
    )
    expect(cleared, 'no alarm has come and gone')
    return `${cleared.id} ${cleared.raisedAt} to ${cleared.clearedAt}, ${Date.now() - startedAt} ms after the start`
  })

  await check('mosquitto_sub -c, away while the server is killed and an alarm is raised, gets it when it comes back', async () => {
    const token = await ops('token', 'add', 'desk', '--role', 'operator')
    const sub = [
      '-h',
      '127.0.0.1',
      '-p',
      String(mqttPort),
      '-u',
      'token',
      '-P',
      token,
      '-c',
      '-i',
      'desk',
      '-q',
      '1',
      '-t',
      'quantrac/v1/alarms/#'
    ]
    await run('mosquitto_sub', [...sub, '-E'])
    await end(server, 'SIGKILL')
    output = ''
    server = start()
    expect(await ready(), 'not ready after kill -9')
    const station = 'AG-KCN-XUANTO-01'
    const secret = await ops('station', 'secret', station)
    const now = Date.now()
    const batch = JSON.stringify([1, 2, 3].map(i => ({ at: now + i * 500, readings: { TSS: 400 } })))
    const pub = ['-h', '127.0.0.1', '-p', String(mqttPort), '-u', station, '-P', secret, '-i', 'acceptance-3', '-q', '1']
    await run('mosquitto_pub', [...pub, '-t', `quantrac/v1/${station}/readings`, '-m', batch])
    expect(await until(async () => (await get(`/alarms?open=true&station=${station}`)).items.length > 0, 10), 'no alarm')
    await sleep(500)
    const { stdout } = await run('mosquitto_sub', [...sub, '-W', '5']).catch(error => error)
    const messages = stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line))
    const mine = messages.filter(m => m.alarm.station === station && m.type === 'alarm.raised')
    expect(mine.length === 1, `${mine.length} of ${messages.length} messages are the alarm`)
    return mine[0].id
  })

  await check('aggregates of a station show their completeness, by hour, day and month', async () => {
    const { items } = await get('/series/AG-KCN-BINHHOA-01/COD/aggregates?period=hour')
    const hour = items.at(-1)
    expect(hour && hour.expected === 12 && hour.completeness === Math.min(1, hour.count / 12), JSON.stringify(hour))
    for (const period of ['day', 'month']) {
      const { items: longer } = await get(`/series/AG-KCN-BINHHOA-01/COD/aggregates?period=${period}`)
      expect(longer.at(-1)?.completeness < 1 && longer.at(-1)?.sufficient === false, JSON.stringify(longer))
    }
    return `${hour.start} to ${hour.end}: ${hour.count} of ${hour.expected}`
  })

  await check(
    'a reading of three days ago changes exactly its windows, and the warehouse has the new revision within a minute',
    async () => {
      const station = 'AG-KCN-BINHHOA-01'
      const [, admin] = /curl '(\S+)\/rows/.exec(output)
      const secret = await ops('station', 'secret', station)
      const { parameters } = (await get('/stations')).items.find(({ code }) => code === station)
      const at = Date.now() - 3 * 86_400_000
      // The windows that run change with every reading of the simulated station.
      const overNow = ({ start, end }) => Date.parse(start) < Date.now() + 5_000 && Date.parse(end) > Date.now() - 60_000
      const closed = async () => {
        const found = new Map()
        for (const parameter of parameters)
          for (const period of ['hour', 'day', 'month'])
            for (const item of (await get(`/series/${station}/${parameter}/aggregates?period=${period}&limit=1000`)).items)
              if (!overNow(item)) found.set(`${parameter} ${period} ${item.end}`, item)
        return found
      }
      const publish = async (at, COD) => {
        const pub = ['-h', '127.0.0.1', '-p', String(mqttPort), '-u', station, '-P', secret, '-i', 'acceptance-4', '-q', '1']
        await run('mosquitto_pub', [...pub, '-t', `quantrac/v1/${station}/readings`, '-m', JSON.stringify({ at, readings: { COD } })])
      }
      const held = async () =>
        (await (await fetch(`${admin}/rows`)).text())
          .split('\n')
          .filter(Boolean)
          .map(line => JSON.parse(line))
          .filter(row => row.station === station && row.parameter === 'COD' && row.start < at && row.end >= at)
      const told = []
      for (const [nth, value] of [33.25, 44.75].entries()) {
        const before = await closed()
        const began = Date.now()
        await publish(at + nth, value)
        const rows = await until(async () => {
          const found = (await held()).filter(({ period, revision, max }) => period !== 'month' && revision === nth + 1 && max === value)
          return found.length === 2 && found
        }, 60)
        expect(rows, `the warehouse has ${JSON.stringify(await held())}`)
        told.push(Date.now() - began)
        const after = await closed()
        const changed = [...after].filter(([name, item]) => JSON.stringify(item) !== JSON.stringify(before.get(name)))
        const outside = changed.filter(
          ([, { parameter, start, end }]) => parameter !== 'COD' || Date.parse(start) >= at || Date.parse(end) < at
        )
        expect(outside.length === 0, `changed too: ${outside.map(([name]) => name)}`)
        const periods = changed.map(([, { period }]) => period)
        expect(
          ['hour', 'day'].every(period => periods.includes(period)) && changed.length <= 3,
          `changed: ${changed.map(([name]) => name)}`
        )
        const month = (await get(`/series/${station}/COD/aggregates?period=month&from=${at}`)).items[0]
        expect(month.min <= 33.25 && month.received > nth, `the month is ${JSON.stringify(month)}`)
      }
      return `revisions 1 and 2 were there after ${told.join(' and ')} ms`
    }
  )

  await check('the ledger of the demo balances on every station and day', async () => {
    const { items: stations } = await get('/stations')
    const { items } = await get('/ledger?limit=1000')
    const off = items.filter(l => l.received !== l.stored + l.replaced + l.duplicate + l.conflicting + l.setAside + l.refused + l.open)
    expect(off.length === 0 && items.every(({ balanced }) => balanced), JSON.stringify(off))
    expect(
      stations.every(({ code }) => items.some(({ station }) => station === code)),
      'a station has no line'
    )
    const received = items.reduce((sum, line) => sum + line.received, 0)
    expect(received > 100 && items.every(({ forwarded }) => Number.isInteger(forwarded)), `${received} received`)
    return `${items.length} lines, ${received} readings`
  })

  await check('SIGTERM ends it in order, the simulated stations and the warehouse with it', async () => {
    const [, admin] = /curl '(\S+)\/rows/.exec(output)
    const exited = new Promise(resolve => server.once('exit', code => resolve(code)))
    server.kill('SIGTERM')
    expect((await exited) === 0, 'exit code')
    expect(
      await fetch(`${admin}/stats`).then(
        () => false,
        () => true
      ),
      'the simulated warehouse runs on'
    )
  })

  await check(
    'a disk that takes no more: no acknowledgement, readiness red, a coded error; goes on by itself once there is room',
    async () => {
      const station = 'AG-KCN-BINHHOA-01'
      const offline = { ...env, ...(await backends.ofAnother()), QUANTRAC_DEMO: 'off', QUANTRAC_DATA_DIR: fullDir }
      const tool = async (...words) =>
        (await run(process.execPath, ['dist/apps/ops/src/main.js', ...words], { env: offline })).stdout.trim()
      const token = await tool('token', 'add', 'feed', '--role', 'ingest')
      output = ''
      // A limit on the size of files, in blocks of 512 bytes, is a disk that is full; lifting it makes room.
      const limited = spawn('sh', ['-c', `ulimit -S -f 9000; exec "${process.execPath}" dist/apps/telemetry/src/main.js`], { env: offline })
      children.add(limited)
      for (const stream of [limited.stdout, limited.stderr]) stream.on('data', chunk => (output += chunk))
      expect(await ready(), `not ready: ${output}`)
      const post = async n => {
        const items = Array.from({ length: 1_000 }, (_, i) => ({ at: 1.79e12 + (n * 1_000 + i) * 1_000, readings: { COD: 10, pH: 7 } }))
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
        const answer = await fetch(`${base}/readings/${station}`, { method: 'POST', headers, body: JSON.stringify(items) })
        return { status: answer.status, body: await answer.json() }
      }
      let kept = 0
      let refused = null
      for (let n = 0; n < 200 && !refused; n++) {
        const { status, body } = await post(n)
        if (status === 202) kept++
        else refused = { status, code: body.code }
      }
      expect(refused?.status === 503 && /^QT_JOURNAL_(IO|FULL)$/.test(refused.code), `it answered ${JSON.stringify(refused)}`)
      expect((await fetch(`http://127.0.0.1:${httpPort}/health/ready`)).status === 503, 'it is still ready')
      // The line comes through a pipe: it may be read after the answer.
      expect(await until(async () => /QT_JOURNAL_(IO|FULL)/.test(output), 10), `no coded error in the log: ${output}`)
      await run('prlimit', ['--pid', String(limited.pid), '--fsize=unlimited'])
      expect(await until(async () => (await post(500)).status === 202, 20), 'it did not recover')
      expect(await ready(), 'it is not ready again')
      const { records } = JSON.parse(await tool('journal', 'stats', '--repeats', '--json'))
      expect(records === kept + 1, `${kept + 1} acknowledged, ${records} kept`)
      await end(limited, 'SIGTERM')
      return `${kept} kept, then ${refused.code}, then on`
    }
  )
} finally {
  for (const child of children) child.kill('SIGKILL')
  receiver.closeAllConnections()
  receiver.close()
  await backends.dispose()
  for (const dir of [dataDir, fullDir]) rmSync(dir, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
