import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { z } from 'zod'
import { BUCKETS, MEASUREMENTS } from '#libs/adapters/store-influx'
import { BOARDS, boardFile, boardQueries } from '../test/board-queries.js'
import { namesOf } from '../test/promql.js'
import { Board, DataPanel } from '../test/schemas.js'
import { HEALTH } from './alerting.js'
import { files } from './files.js'
import { STATES } from './palette.js'
import { FLUX_QUERIES, INFLUX, PROMETHEUS } from './targets.js'

const boards = BOARDS.map(name => ({ name, raw: boardFile(name), board: Board.parse(boardFile(name)) }))
const { flux, prometheus } = boardQueries()

describe.each(boards)('the board $name', ({ raw, board }) => {
  const panels = board.panels.flatMap(panel => (panel.type === 'row' ? [] : [DataPanel.parse(panel)]))

  it('has no two panels over one another, and no gap in its numbers', () => {
    const cells = board.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`)
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(board.panels.map(({ id }) => id)).toEqual(board.panels.map((_, i) => i + 1))
  })

  it('asks data sources that are provisioned, each query by a letter of its own', () => {
    for (const { targets } of panels) {
      for (const { datasource } of targets) expect([INFLUX, PROMETHEUS]).toContainEqual(datasource)
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length)
    }
  })

  it('is in Vietnamese: every title, heading and word has the letters', () => {
    const titles = [board.title, ...board.panels.map(({ title }) => title), ...(board.templating?.list ?? []).map(({ label }) => label)]
    // A plain word may do without accents; a title made of several does not.
    expect(titles.filter(title => !isVietnamese(title))).toEqual([])
    for (const { description } of panels) expect(isVietnamese(description)).toBe(true)
  })

  it('uses the variables that it has, and has none that it does not use', () => {
    const text = JSON.stringify(raw)
    const used = new Set([...text.matchAll(/\$\{(\w+):\w+\}|\$(station|parameter|zone)\b/g)].map(match => match[1] ?? match[2] ?? ''))
    expect([...used].sort()).toEqual((board.templating?.list ?? []).map(({ name }) => name).sort())
  })

  it('shows no colour of a state without its word', () => {
    for (const { fieldConfig } of panels) {
      for (const mapping of fieldConfig.defaults.mappings ?? []) {
        if (mapping.type === 'value') for (const result of Object.values(mapping.options)) expect(result.text).not.toBe('')
      }
      const painted = fieldConfig.overrides.filter(({ properties }) => properties.some(({ id }) => id === 'custom.cellOptions'))
      for (const { properties } of painted) expect(properties.some(({ id }) => id === 'mappings' || id === 'thresholds')).toBe(true)
    }
  })
})

describe('all boards', () => {
  it('have uids, titles and files of their own', () => {
    expect(new Set(boards.map(({ board }) => board.uid)).size).toBe(boards.length)
    expect(new Set(boards.map(({ board }) => board.title)).size).toBe(boards.length)
    for (const { name, board } of boards) expect(board.uid).toBe(`quantrac-${name}`)
  })

  it('give every state its own word and colour', () => {
    expect(STATES.map(({ code }) => code)).toEqual(STATES.map((_, i) => i))
    expect(new Set(STATES.map(({ color }) => color)).size).toBe(STATES.length)
    expect(new Set(STATES.map(({ word }) => word)).size).toBe(STATES.length)
  })
})

describe('what the boards ask InfluxDB for', () => {
  files() // so that every query is known with its structure
  const scripts = flux.map(({ board, where, query }) => ({ where: `${board}: ${where}`, script: FLUX_QUERIES.get(query), query }))

  it.each(scripts)('$where: measurements, fields, tags and buckets of the catalogue', ({ script, query }) => {
    expect(script?.uses.length).toBeGreaterThan(0)
    expect(script?.strangers).toEqual([])
    // The same by the text alone, which does not trust the builder.
    const measurements = [...query.matchAll(/r\._measurement == "([^"]*)"/g)].map(match => match[1] ?? '')
    const known: Readonly<Record<string, { readonly bucket: keyof typeof BUCKETS; readonly fields: object }>> = MEASUREMENTS
    const suffixes = [...query.matchAll(/from\(bucket: v\.defaultBucket(?: \+ "([^"]*)")?\)/g)].map(match => match[1] ?? '')
    expect(measurements.map(name => known[name] && BUCKETS[known[name].bucket])).toEqual(suffixes)
    const fields = [...query.matchAll(/r\._field == "([^"]*)"/g)].map(match => match[1] ?? '')
    const possible = measurements.flatMap(name => Object.keys(known[name]?.fields ?? {}))
    expect(fields.filter(field => !possible.includes(field))).toEqual([])
  })
})

describe('what the boards and the alert rules ask Prometheus for', () => {
  const catalogue = metricCatalogue()
  const asked = [
    ...prometheus.map(({ board, where, query }) => [`${board}: ${where}`, query] as const),
    ...HEALTH.map(({ uid, expr }) => [`alert ${uid}`, expr] as const)
  ]

  it.each(asked)('%s: metrics and labels that the server has', (_where, query) => {
    for (const { metric, labels } of namesOf(query)) {
      const known = catalogue.get(metric)
      expect([metric, known === undefined ? 'unknown' : 'known']).toEqual([metric, 'known'])
      expect(labels.filter(label => !known?.includes(label))).toEqual([])
    }
  })

  it('sees through functions, spans, selectors and groupings', () => {
    expect(namesOf('histogram_quantile(0.9, sum by (le, consumer) (rate(a_bucket{x="y b", z!="1"}[$__rate_interval]))) / b')).toEqual([
      { metric: 'a_bucket', labels: ['x', 'z', 'le', 'consumer'] },
      { metric: 'b', labels: ['le', 'consumer'] }
    ])
    expect(namesOf('up{job="quantrac"}')).toEqual([])
  })
})

/** Rows of metrics.md, histograms by the names of their lines, and Node's own metrics with our prefix. */
function metricCatalogue(): Map<string, readonly string[]> {
  const catalogue = new Map<string, readonly string[]>()
  const rows = readFileSync('apps/telemetry/docs/metrics.md', 'utf8').matchAll(/^\| `(quantrac_[a-z_]+)` \| ([a-z, ]*) ?\| (.*) \|$/gm)
  for (const [, name = '', labels = '', meaning = ''] of rows) {
    const own = labels.split(',').flatMap(label => label.trim() || [])
    if (meaning.startsWith('histogram')) for (const part of ['bucket', 'sum', 'count']) catalogue.set(`${name}_${part}`, [...own, 'le'])
    else catalogue.set(name, own)
  }
  const register = new Registry()
  collectDefaultMetrics({ register, prefix: 'quantrac_' })
  for (const { name } of z.array(z.object({ name: z.string() })).parse(register.getMetricsAsArray())) catalogue.set(name, [])
  return catalogue
}

const VIETNAMESE = /[ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ]/i
function isVietnamese(text: string): boolean {
  return VIETNAMESE.test(text)
}
