import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** A query as it stands in a committed file. */
export interface BoardQuery {
  readonly board: string
  /** Title of the panel with the query's letter, or the variable. */
  readonly where: string
  readonly query: string
}

export const BOARDS = ['operations', 'environment', 'province'] as const

const Target = z.object({
  refId: z.string(),
  datasource: z.object({ type: z.string(), uid: z.string() }),
  query: z.string().optional(),
  expr: z.string().optional()
})
const Board = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(Target).optional() })),
  templating: z.object({ list: z.array(z.object({ name: z.string(), query: z.string() })).default([]) }).optional()
})

export const boardFile = (board: string): unknown => JSON.parse(readFileSync(`dashboards/boards/${board}.json`, 'utf8'))

/** Every query of every board: Flux with those of the variables, and Prometheus. */
export function boardQueries(): { readonly flux: readonly BoardQuery[]; readonly prometheus: readonly BoardQuery[] } {
  const all = BOARDS.map(board => ({ board, ...Board.parse(boardFile(board)) }))
  const targets = all.flatMap(({ board, panels }) =>
    panels.flatMap(({ title, targets: list = [] }) => list.map(target => ({ board, where: `${title} (${target.refId})`, target })))
  )
  const variables = all.flatMap(({ board, templating }) =>
    (templating?.list ?? []).map(({ name, query }) => ({ board, where: `variable ${name}`, query }))
  )
  return {
    flux: [
      ...variables,
      ...targets.flatMap(({ board, where, target: { query } }) => (query === undefined ? [] : [{ board, where, query }]))
    ],
    prometheus: targets.flatMap(({ board, where, target: { expr } }) => (expr === undefined ? [] : [{ board, where, query: expr }]))
  }
}
