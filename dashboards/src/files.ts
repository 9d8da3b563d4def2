import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { stringify } from 'yaml'
import { alertRules } from './alerting.js'
import { environmentBoard } from './boards/environment.js'
import { operationsBoard } from './boards/operations.js'
import { provinceBoard } from './boards/province.js'
import { boardProviders, dataSources } from './provisioning.js'

export interface File {
  readonly path: string
  readonly text: string
}

const NOTE = ' Written by `npm run dashboards`; do not edit by hand.\n'

/** Panels get their numbers in the order in which they stand. */
function numbered(board: Dashboard): Dashboard {
  board.panels?.forEach((panel, index) => {
    panel.id = index + 1
  })
  return board
}

const json = (board: Dashboard): string => `${JSON.stringify(numbered(board), null, 2)}\n`
const yaml = (content: object): string => `#${NOTE}${stringify(content, { lineWidth: 140 })}`

/** Every file that Grafana is given, by its path under `dashboards/`. The same at every call. */
export const files = (): File[] => [
  { path: 'boards/operations.json', text: json(operationsBoard()) },
  { path: 'boards/environment.json', text: json(environmentBoard()) },
  { path: 'boards/province.json', text: json(provinceBoard()) },
  { path: 'provisioning/datasources/quantrac.yaml', text: yaml(dataSources()) },
  { path: 'provisioning/dashboards/quantrac.yaml', text: yaml(boardProviders()) },
  { path: 'provisioning/alerting/quantrac.yaml', text: yaml(alertRules()) }
]
