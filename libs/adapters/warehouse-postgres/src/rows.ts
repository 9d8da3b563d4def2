import { type Aggregate, warehouseText } from '#libs/pipeline'
import { type Column, FIGURES, KEY, SCHEMA } from './schema.js'

const iso = (at: number): string => new Date(at).toISOString()

/** A row as the statements below read it: JSON, whose numbers PostgreSQL reads to the last bit. `n` is its place among the items. */
export function toRow(item: Aggregate, n: number): object {
  const { start, end, validShare, min, max, worstFlag, exceedanceMinutes, ...same } = item
  return {
    n,
    ...same,
    start_at: iso(start),
    end_at: iso(end),
    valid_share: validShare,
    min: min?.value ?? null,
    min_at: min ? iso(min.at) : null,
    max: max?.value ?? null,
    max_at: max ? iso(max.at) : null,
    worst_flag: worstFlag,
    exceedance_minutes: exceedanceMinutes
  }
}

export function toKey(item: Aggregate, n: number): object {
  const { station, parameter, period, end } = item
  return { n, station, parameter, period, end_at: iso(end), row_text: warehouseText(item) }
}

const named = (columns: readonly Column[]): string => columns.map(({ name }) => name).join(', ')
const typed = (columns: readonly Column[]): string => columns.map(({ name, type }) => `${name} ${type}`).join(', ')
const KEYS = named(KEY)
const ALL = [...KEY, ...FIGURES]

/** Tells the places of the rows that were taken. Two rows of one key may not come in one statement. Ordered, so that two senders wait and do not deadlock. */
export const PUT = `
with given as (select * from json_to_recordset($1::json) as g(n integer, ${typed(ALL)})),
put as (
  insert into ${SCHEMA}.aggregate as a (${named(ALL)})
  select ${named(ALL)} from given order by ${KEYS}
  on conflict (${KEYS}) do update set
    ${FIGURES.map(({ name }) => `${name} = excluded.${name}`).join(', ')}, written_at = now()
  where a.revision < excluded.revision
  returning ${KEYS}
)
select n from given join put using (${KEYS})`

/** What is held in the place of rows that were not taken, and whether it is the same. */
export const HELD = `
select g.n, a.revision, ${SCHEMA}.row_text(a) = g.row_text as same
from json_to_recordset($1::json) as g(n integer, ${typed(KEY)}, row_text text)
join ${SCHEMA}.aggregate as a using (${KEYS})`

export const DIGEST = `select station, date, count, checksum from ${SCHEMA}.digest($1, $2, $3)`
