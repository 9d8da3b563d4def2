import { expect } from '@jest/globals'
import { DAY, formatInstant, VIETNAM_OFFSET } from '#libs/model'
import type { TestServer } from './server.js'

/** GET routes whose answers are not a matter of the data: probes, figures of the process, an endless stream, the page itself. */
const NOT_DATA = ['/', '/health/live', '/health/ready', '/metrics', '/api/v1/stream']

/** Verdicts are those of an instant: the same for every server that is asked, and after all that the test sends. */
const SOON = Date.now() + 600_000
const YESTERDAY = Math.floor((Date.now() + VIETNAM_OFFSET) / DAY) * DAY - VIETNAM_OFFSET - DAY

type Answers = Record<string, unknown>

/** Asks a server every GET route of its own contract that answers data, for every station, series, alarm and correction, page by page. */
export async function everyAnswer(server: TestServer, token: string): Promise<Answers> {
  const contract = (await server.get('/api/openapi.json')).json() as unknown as { paths: Record<string, { get?: unknown }> }
  const routes = Object.keys(contract.paths).filter(path => contract.paths[path]?.get && !NOT_DATA.includes(path))
  expect(routes.length).toBeGreaterThan(7)
  const stations = (await list(server, '/api/v1/stations', token)) as { code: string; parameters: string[] }[]
  const alarms = (await list(server, '/api/v1/alarms', token)) as { id: string }[]
  const corrections = (await list(server, '/api/v1/corrections', token)) as { id: number }[]
  const answers: Answers = {}
  for (const route of routes) {
    for (const path of expand(route, stations, route.startsWith('/api/v1/corrections') ? corrections : alarms))
      answers[path] = await list(server, path, token)
  }
  return answers
}

function expand(
  route: string,
  stations: readonly { code: string; parameters: string[] }[],
  known: readonly { id: string | number }[]
): string[] {
  const series = stations.flatMap(({ code, parameters }) => parameters.map(parameter => ({ code, parameter })))
  const paths = route.includes('{parameter}')
    ? series.map(({ code, parameter }) => route.replace('{station}', code).replace('{parameter}', encodeURIComponent(parameter)))
    : route.includes('{code}')
      ? stations.map(({ code }) => route.replace('{code}', code))
      : route.includes('{id}')
        ? known.map(({ id }) => route.replace('{id}', encodeURIComponent(id)))
        : [route]
  for (const path of paths) expect(path).not.toContain('{') // a new kind of parameter must be expanded here
  return paths
}

function queryOf(path: string): string {
  if (path.endsWith('/aggregates')) return 'period=hour&limit=1000'
  if (path.includes('/verdicts/')) return `at=${SOON}`
  if (path.includes('/indices/')) return `index=wqi&to=${SOON}`
  if (path.includes('/water-classes/')) return `to=${SOON}`
  // A day that runs is scored as far as it is over: the one before is the same whenever it is asked for.
  if (path === '/api/v1/quality') return `from=${YESTERDAY}&to=${YESTERDAY + DAY}`
  if (path.includes('/quality/')) return `day=${formatInstant(YESTERDAY).slice(0, 10)}&limit=1000`
  return path.endsWith('/calibrations') ? `to=${SOON}` : 'limit=1000'
}

/** All items of a list, or the one thing. */
async function list(server: TestServer, path: string, token: string): Promise<unknown> {
  const items: unknown[] = []
  const query = queryOf(path)
  for (let after = ''; ; ) {
    const answer = await server.get(`${path}?${query}${after}`, token)
    expect({ path, status: answer.status, text: answer.text }).toMatchObject({ status: 200 })
    const body = answer.json()
    if (!Array.isArray(body.items)) return body
    items.push(...(path.endsWith('/aggregates') ? published(body.items) : body.items))
    if (typeof body['next'] !== 'string') return items
    after = `&after=${body['next']}`
  }
}

/** How often an aggregate was published in between is a matter of time; what stands in the end is not. */
const published = (aggregates: readonly Record<string, unknown>[]): unknown[] =>
  aggregates.filter(({ provisional }) => provisional === false).map(({ revision: _, ...rest }) => rest)
