import type { Station } from '#libs/model'
import type { PermitTerms, RegulationTable } from './document.js'
import { Law } from './law.js'
import { readPermit } from './read-permit.js'
import { readRegulation } from './read-regulation.js'

/** One document that people wrote: `name` is what a problem is reported under (a file, or the id that it was loaded with). */
export interface LawDocument {
  readonly name: string
  readonly content: unknown
}

export interface LawSources {
  readonly regulations: readonly LawDocument[]
  readonly permits: readonly LawDocument[]
}

export interface LawProblem {
  readonly document: string
  /** Place in it, such as `limits.3.unit`; empty for the whole. */
  readonly path: string
  readonly message: string
}

export type ReadLaw = { readonly ok: true; readonly law: Law } | { readonly ok: false; readonly problems: readonly LawProblem[] }

export const NO_LAW: LawSources = { regulations: [], permits: [] }

/** Regulations and permits, each held against the other, the registry and the model; every problem of every document at once. */
export function readLaw(sources: LawSources, stations: readonly Station[]): ReadLaw {
  const problems: LawProblem[] = []
  const reportOf = (document: string) => (path: string, message: string) =>
    void problems.push({ document, path: path.replace(/^\./, ''), message })
  const regulations = readRegulations(sources.regulations, reportOf)
  const known = new Map(regulations.map(regulation => [regulation.id, regulation]))
  const byCode = new Map(stations.map(station => [station.code, station]))
  const permits: PermitTerms[] = []
  const taken = new Map<string, string>()
  for (const { name, content } of sources.permits) {
    const report = reportOf(name)
    const permit = readPermit(content, { regulations: known, stations: byCode }, report)
    if (!permit) continue
    if (taken.has(permit.id)) report('id', `'${permit.id}' stands twice: also ${taken.get(permit.id)}`)
    else taken.set(permit.id, name)
    const rival = permits.find(other => other.station === permit.station && other.from === permit.from && meet(other, permit))
    if (rival) report('validFrom', `permit '${rival.id}' of ${permit.station} begins at the same time: which of them binds?`)
    permits.push(permit)
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, law: new Law(regulations, permits, stations) }
}

type ReportOf = (document: string) => (path: string, message: string) => void

function readRegulations(documents: readonly LawDocument[], reportOf: ReportOf): RegulationTable[] {
  const seen = new Map<string, string>()
  const tables = documents.flatMap(({ name, content }) => {
    const report = reportOf(name)
    const table = readRegulation(content, report)
    if (!table) return []
    if (seen.has(table.id)) report('id', `'${table.id}' stands twice: also ${seen.get(table.id)}`)
    seen.set(table.id, name)
    return [{ table, report }]
  })
  for (const { table, report } of tables)
    if (table.successor !== null && !seen.has(table.successor)) report('successor', `unknown regulation '${table.successor}'`)
  return tables.map(({ table }) => table)
}

const meet = (a: PermitTerms, b: PermitTerms): boolean =>
  a.parameters === null || b.parameters === null || a.parameters.some(parameter => b.parameters?.includes(parameter))
