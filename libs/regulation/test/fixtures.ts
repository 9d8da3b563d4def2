import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { Station } from '#libs/model'
import type { Law, LawDocument, LawSources } from '../src/index.js'
import { readLaw } from '../src/index.js'

const DIR = 'devices/registry/regulations'

/** The regulations that ship with the product. */
export const shipped: readonly LawDocument[] = readdirSync(DIR).map(name => ({
  name,
  content: parse(readFileSync(`${DIR}/${name}`, 'utf8')) as unknown
}))

export const station = (code: string, parameters: readonly string[], kind: Station['kind'] = 'wastewater'): Station => ({
  code,
  name: code,
  kind,
  profile: 'test',
  zone: 'KCN Bình Hòa',
  agency: 'test',
  position: { longitude: 105.3, latitude: 10.4 },
  parameters,
  example: true
})

export const EFFLUENT = station('AG-X', ['COD', 'pH', 'Color', 'Temp', 'NH4', 'BOD5', 'TSS', 'Flow'])
export const AIR = station('AG-AIR', ['PM2,5', 'SO2'], 'ambient-air')
export const GAUGE = station('AG-GAUGE', ['WaterLevel'], 'hydrology')

export const permit = (other: object = {}): object => ({
  id: 'P-1',
  station: 'AG-X',
  document: 'test permit',
  regulation: 'qcvn-40-2011',
  column: 'A',
  kq: 1.2,
  kf: 1,
  operatingSince: '2015-01-01',
  validFrom: '2019-01-01',
  ...other
})

export function sources(permits: readonly object[], regulations: readonly LawDocument[] = shipped): LawSources {
  return { regulations, permits: permits.map((content, index) => ({ name: `permits.${index}`, content })) }
}

/** Throws where the documents are wrong. */
export function lawOf(permits: readonly object[], regulations: readonly LawDocument[] = shipped): Law {
  const read = readLaw(sources(permits, regulations), [EFFLUENT, AIR, GAUGE])
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  return read.law
}
