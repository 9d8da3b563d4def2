import type { Station } from '#libs/model'
import { findParameter, fingerprintOf } from '#libs/model'
import { kfOf, kqOf } from './coefficients.js'
import { Permit } from './config.js'
import type { OwnTerms, PermitTerms, RegulationTable } from './document.js'
import type { Report } from './read-regulation.js'
import { checkRange, inCanonicalUnit, instantAt, listOf, validityOf } from './read-regulation.js'

interface Surroundings {
  readonly regulations: ReadonlyMap<string, RegulationTable>
  readonly stations: ReadonlyMap<string, Station>
}

/** A permit's document, held against the registry and the regulation that it names; undefined, and reported, where it cannot be used. */
export function readPermit(raw: unknown, { regulations, stations }: Surroundings, report: Report): PermitTerms | undefined {
  const parsed = Permit.safeParse(raw)
  if (!parsed.success) {
    for (const issue of parsed.error.issues) report(issue.path.map(String).join('.'), issue.message)
    return undefined
  }
  const { data } = parsed
  const station = stations.get(data.station)
  if (!station) report('station', `unknown station '${data.station}'`)
  const regulation = regulations.get(data.regulation)
  if (!regulation) report('regulation', `unknown regulation '${data.regulation}'; known are ${listOf([...regulations.keys()])}`)
  if (station) checkParameters(data, station, report)
  if (regulation) checkPlace(data, regulation, report)
  const validity = validityOf(data, '', report)
  return {
    id: data.id,
    station: data.station,
    document: data.document,
    regulation: data.regulation,
    column: data.column ?? null,
    flowClass: data.flowClass ?? null,
    ...coefficientsOf(data, regulation, report),
    receiving: data.receiving ?? null,
    discharge: data.discharge ?? null,
    operatingSince: data.operatingSince === undefined ? null : instantAt(data.operatingSince, 'operatingSince', report),
    own: ownOf(data, report),
    parameters: data.parameters ?? null,
    ...validity,
    digest: fingerprintOf(JSON.stringify(data))
  }
}

function checkParameters({ parameters = [], own }: Permit, station: Station, report: Report): void {
  parameters.forEach((parameter, index) => {
    if (!station.parameters.includes(parameter)) report(`parameters.${index}`, `${station.code} does not measure '${parameter}'`)
  })
  own.forEach(({ parameter }, index) => {
    if (findParameter(parameter) && !station.parameters.includes(parameter))
      report(`own.${index}.parameter`, `${station.code} does not measure '${parameter}'`)
    if (own.findIndex(other => other.parameter === parameter) < index) report(`own.${index}.parameter`, `'${parameter}' stands twice`)
  })
}

function checkPlace({ column, flowClass }: Permit, { title, columns, flowClasses }: RegulationTable, report: Report): void {
  if (columns.length > 0 && (column === undefined || !columns.includes(column)))
    report('column', `${column === undefined ? 'it is missing' : `'${column}' is none`}: ${title} has the columns ${listOf(columns)}`)
  if (columns.length === 0 && column !== undefined) report('column', `${title} has no columns`)
  if (flowClass !== undefined && !flowClasses.includes(flowClass))
    report('flowClass', `'${flowClass}' is none: ${title} has the flow classes ${listOf(flowClasses)}`)
}

/** Kq and Kf: as the permit names them, or by what it says of the receiving water and the discharge. Both must agree where both stand. */
function coefficientsOf(
  { kq, kf, receiving, discharge }: Permit,
  regulation: RegulationTable | undefined,
  report: Report
): Pick<PermitTerms, 'kq' | 'kf'> {
  const named = [kq, kf, receiving, discharge].some(value => value !== undefined)
  if (!regulation?.coefficients) {
    if (regulation && named) report('', `${regulation.title} knows no Kq and Kf: leave kq, kf, receiving and discharge out`)
    return { kq: null, kf: null }
  }
  const byWater = receiving === undefined ? undefined : kqOf(regulation.coefficients, receiving)
  const byFlow = discharge === undefined ? undefined : kfOf(regulation.coefficients, discharge)
  if (kq !== undefined && byWater !== undefined && kq !== byWater)
    report('kq', `${kq} is not the ${byWater} that the receiving water gives`)
  if (kf !== undefined && byFlow !== undefined && kf !== byFlow) report('kf', `${kf} is not the ${byFlow} that the discharge gives`)
  const [q, f] = [kq ?? byWater, kf ?? byFlow]
  if (q === undefined) report('kq', 'it is missing, and so is the receiving water that would give it')
  if (f === undefined) report('kf', 'it is missing, and so is the discharge that would give it')
  return { kq: q ?? null, kf: f ?? null }
}

function ownOf({ own }: Permit, report: Report): OwnTerms[] {
  return own.flatMap((limit, index) => {
    const here: Report = (path, message) => report(`own.${index}${path}`, message)
    checkRange(limit, here)
    const convert = inCanonicalUnit(limit, here)
    const unit = findParameter(limit.parameter)?.unit
    if (!convert || unit === undefined) return []
    const { parameter, min, max, source } = limit
    return [
      {
        parameter,
        unit,
        min: min === undefined ? null : convert(min),
        max: max === undefined ? null : convert(max),
        source: source ?? null
      }
    ]
  })
}
