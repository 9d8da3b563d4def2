import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import {
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder
} from '@grafana/grafana-foundation-sdk/common'
import type { DynamicConfigValue, GridPos, ThresholdsConfig, ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard'
import { DashboardBuilder, DashboardCursorSync, FieldColorModeId } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as LinesPanel } from '@grafana/grafana-foundation-sdk/timeseries'

type Target = Builder<Dataquery>

/** What every panel has: a Vietnamese title, and what it says in a sentence (English where the word is an engineer's). */
export interface Panel {
  readonly title: string
  readonly description: string
  readonly unit?: string
  readonly targets: readonly Target[]
}

/** Grafana's grid has 24 columns. */
const COLUMNS = 24
export const at = (x: number, y: number, w: number, h: number): GridPos => ({ x, y, w: Math.min(w, COLUMNS - x), h })

/** Columns in their order with the heading of each; what is not named is not shown. */
export interface Column {
  readonly name: string
  readonly title: string
  readonly unit?: string
  readonly decimals?: number
  readonly width?: number
  readonly mappings?: readonly ValueMapping[]
  /** Paint the cell in the colour of its mapping or threshold. */
  readonly painted?: boolean
  readonly thresholds?: ThresholdsConfig
  readonly more?: readonly DynamicConfigValue[]
}

/** What the SDK wants from a builder and is written here as it is. */
export const just = <T>(value: T): Builder<T> => ({ build: () => value })

/** Lines over time, legend below as a table of last and greatest values. */
export function lines({ title, description, unit, targets }: Panel): LinesPanel {
  const panel = new LinesPanel()
    .title(title)
    .description(description)
    .targets([...targets])
    .fillOpacity(8)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max'])
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
  return unit === undefined ? panel : panel.unit(unit)
}

/** One number. With `states`, its words; a colour only together with them or with a threshold. */
export function number({ title, description, unit, targets }: Panel, levels?: ThresholdsConfig): StatPanel {
  const panel = new StatPanel()
    .title(title)
    .description(description)
    .targets([...targets])
    .noValue('chưa có')
  if (unit !== undefined) panel.unit(unit)
  return levels ? panel.thresholds(just(levels)) : panel
}

export function table({ title, description, targets }: Panel, columns: readonly Column[]): TablePanel {
  const order = Object.fromEntries(columns.map((column, index) => [column.name, index]))
  const titles = Object.fromEntries(columns.map(column => [column.name, column.title]))
  const panel = new TablePanel()
    .title(title)
    .description(description)
    .targets([...targets])
    .noValue('không có')
    .withTransformation({ id: 'filterFieldsByName', options: { include: { names: columns.map(column => column.name) } } })
    .withTransformation({ id: 'organize', options: { indexByName: order, renameByName: titles, excludeByName: {} } })
  for (const column of columns) {
    const properties = propertiesOf(column)
    if (properties.length > 0) panel.overrideByName(column.title, properties)
  }
  return panel
}

function propertiesOf({ unit, decimals, width, mappings, painted, thresholds, more = [] }: Column): DynamicConfigValue[] {
  const property = (id: string, value: unknown): DynamicConfigValue[] => (value === undefined ? [] : [{ id, value }])
  return [
    ...property('unit', unit),
    ...property('decimals', decimals),
    ...property('custom.width', width),
    ...property('mappings', mappings),
    ...property('thresholds', thresholds),
    ...(painted ? [{ id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } }] : []),
    ...more
  ]
}

/** Instants as people here write them. */
export const INSTANT = 'time:DD/MM/YYYY HH:mm'
export const MONTH = 'time:MM/YYYY'

/** Numbers are called by a label of the answer. Later overrides may go by that name. */
export const namedBy = (label: string): DynamicConfigValue[] => [{ id: 'displayName', value: `\${__field.labels.${label}}` }]

/** A line's colour and stroke, by its name. */
export const stroke = (color: string, dash?: readonly number[]): DynamicConfigValue[] => [
  { id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor: color } },
  ...(dash ? [{ id: 'custom.lineStyle', value: { fill: 'dash', dash } }] : [])
]

interface BoardHead {
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly from: string
  readonly refresh: string
  readonly tag: string
}

/** A board in Vietnam's time zone with Monday first. It is changed in code, not in the browser. */
export const board = ({ uid, title, description, from, refresh, tag }: BoardHead): DashboardBuilder =>
  new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['quantrac', tag])
    .timezone('Asia/Ho_Chi_Minh')
    .weekStart('monday')
    .time({ from, to: 'now' })
    .refresh(refresh)
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
