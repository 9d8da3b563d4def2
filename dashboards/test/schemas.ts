import { z } from 'zod'

/**
 * Essentials of what Grafana takes: of a board (classic schema, documentation "Dashboard JSON model") and of the three kinds of
 * provisioning files (documentation "Provision Grafana" and "Use configuration files to provision alerting resources"). There is
 * no official schema of either; these are strict where a slip of ours would be passed over in silence.
 */

const DataSourceRef = z.object({ type: z.enum(['prometheus', 'influxdb']), uid: z.string() })
const GRID_COLUMNS = 24
const GridPos = z
  .strictObject({
    x: z
      .int()
      .min(0)
      .max(GRID_COLUMNS - 1),
    y: z.int().min(0),
    w: z.int().min(3).max(GRID_COLUMNS),
    h: z.int().min(1).max(20)
  })
  .refine(({ x, w }) => x + w <= GRID_COLUMNS, 'a panel reaches beyond the grid')

const Mapping = z.discriminatedUnion('type', [
  z.object({ type: z.literal('value'), options: z.record(z.string(), z.object({ text: z.string().min(1), index: z.number() }).loose()) }),
  z.object({
    type: z.literal('special'),
    options: z.object({ match: z.string(), result: z.object({ text: z.string().min(1) }).loose() })
  })
])
const Property = z.object({ id: z.string(), value: z.unknown() })
const Target = z
  .object({ refId: z.string().regex(/^[A-Z]$/), datasource: DataSourceRef })
  .and(z.union([z.object({ query: z.string().min(20) }), z.object({ expr: z.string().min(2) })]))

export const DataPanel = z.object({
  id: z.int().min(1),
  type: z.enum(['timeseries', 'stat', 'table', 'geomap', 'state-timeline', 'status-history', 'barchart']),
  title: z.string().min(3),
  description: z.string().min(10),
  gridPos: GridPos,
  targets: z.array(Target).min(1),
  transformations: z
    .array(z.object({ id: z.enum(['filterFieldsByName', 'organize', 'joinByField']), options: z.object({}).loose() }))
    .optional(),
  fieldConfig: z.object({
    defaults: z.object({ mappings: z.array(Mapping).optional(), unit: z.string().optional() }).loose(),
    overrides: z.array(z.object({ matcher: z.object({ id: z.string(), options: z.unknown() }), properties: z.array(Property) }))
  })
})
const Row = z.object({ id: z.int().min(1), type: z.literal('row'), title: z.string().min(3), gridPos: GridPos })

const Variable = z.object({
  name: z.string().regex(/^[a-z]+$/),
  label: z.string().min(2),
  type: z.literal('query'),
  datasource: DataSourceRef,
  query: z.string().min(20),
  refresh: z.literal(1),
  allowCustomValue: z.literal(false)
})

export const Board = z.object({
  uid: z.string().regex(/^quantrac-[a-z]+$/),
  title: z.string().min(5),
  description: z.string().min(10),
  schemaVersion: z.int().min(39),
  editable: z.literal(false),
  timezone: z.literal('Asia/Ho_Chi_Minh'),
  weekStart: z.literal('monday'),
  refresh: z.string().regex(/^\d+[sm]$/),
  time: z.object({ from: z.string().regex(/^now-\d+[hd]$/), to: z.literal('now') }),
  tags: z.array(z.string()).min(1),
  panels: z.array(z.union([Row, DataPanel])).min(1),
  templating: z.object({ list: z.array(Variable).default([]) }).optional()
})

const Version = z.literal(1)
const Duration = z.string().regex(/^\d+[smh]$/)
/** `$NAME`, `${NAME}` or `$__file{path}`: the only `$` that a value may hold outside of alerting's templates. */
const Expanded = z.string().regex(/^(\$[A-Z_]+|\$\{[A-Z_]+\}|\$__file\{\/[\w./-]+\}|[^$]*)$/)

export const DataSourceFile = z.strictObject({
  apiVersion: Version,
  prune: z.boolean().optional(),
  datasources: z.array(
    z.strictObject({
      name: z.string().min(1),
      uid: z.string().regex(/^[a-zA-Z0-9_-]{1,40}$/),
      type: z.enum(['prometheus', 'influxdb']),
      access: z.literal('proxy'),
      url: Expanded,
      isDefault: z.boolean().optional(),
      editable: z.literal(false),
      jsonData: z.union([
        z.strictObject({ httpMethod: z.enum(['GET', 'POST']), timeInterval: Duration }),
        z.strictObject({
          version: z.literal('Flux'),
          organization: Expanded,
          defaultBucket: Expanded,
          timeInterval: Duration,
          maxSeries: z.int().min(1)
        })
      ]),
      secureJsonData: z.strictObject({ token: z.string().regex(/^\$__file\{\/[\w./-]+\}$/, 'a secret comes from a file') }).optional()
    })
  )
})

export const BoardProviderFile = z.strictObject({
  apiVersion: Version,
  providers: z.array(
    z.strictObject({
      name: z.string(),
      orgId: z.int(),
      folder: z.string(),
      folderUid: z.string(),
      type: z.literal('file'),
      disableDeletion: z.boolean(),
      allowUiUpdates: z.literal(false),
      updateIntervalSeconds: z.int().min(10),
      options: z.strictObject({ path: z.string().startsWith('/'), foldersFromFilesStructure: z.boolean() })
    })
  )
})

const RelativeTimeRange = z.strictObject({ from: z.int().min(1), to: z.literal(0) })
const EXPRESSION = '__expr__'
const ExpressionRef = z.strictObject({ type: z.literal(EXPRESSION), uid: z.literal(EXPRESSION) })
const RuleData = z.tuple([
  z.strictObject({
    refId: z.literal('A'),
    datasourceUid: z.string(),
    relativeTimeRange: RelativeTimeRange,
    model: z.strictObject({
      refId: z.literal('A'),
      datasource: DataSourceRef,
      expr: z.string(),
      instant: z.literal(true),
      range: z.literal(false),
      intervalMs: z.int(),
      maxDataPoints: z.int()
    })
  }),
  z.strictObject({
    refId: z.literal('B'),
    datasourceUid: z.literal(EXPRESSION),
    relativeTimeRange: RelativeTimeRange,
    model: z.strictObject({
      refId: z.literal('B'),
      type: z.literal('reduce'),
      datasource: ExpressionRef,
      expression: z.literal('A'),
      reducer: z.literal('last')
    })
  }),
  z.strictObject({
    refId: z.literal('C'),
    datasourceUid: z.literal(EXPRESSION),
    relativeTimeRange: RelativeTimeRange,
    model: z.strictObject({
      refId: z.literal('C'),
      type: z.literal('threshold'),
      datasource: ExpressionRef,
      expression: z.literal('B'),
      conditions: z.tuple([z.strictObject({ evaluator: z.strictObject({ type: z.enum(['gt', 'lt']), params: z.tuple([z.number()]) }) })])
    })
  })
])
/** In a template every `$` stands twice, or Grafana takes what follows for a variable of its environment. */
const Template = z.string().refine(text => !/(^|[^$])\$(\$\$)*([^$]|$)/.test(text), 'a single $')

export const AlertingFile = z.strictObject({
  apiVersion: Version,
  groups: z.array(
    z.strictObject({
      orgId: z.int(),
      name: z.string().min(1),
      folder: z.string().min(1),
      interval: Duration,
      rules: z.array(
        z.strictObject({
          uid: z.string().regex(/^[a-zA-Z0-9_-]{1,40}$/),
          title: z.string().min(5).max(190),
          condition: z.literal('C'),
          data: RuleData,
          noDataState: z.enum(['NoData', 'Alerting', 'OK', 'KeepLast']),
          execErrState: z.enum(['Error', 'Alerting', 'OK', 'KeepLast']),
          for: Duration,
          annotations: z.record(z.string(), Template),
          labels: z.record(z.string(), z.string()),
          isPaused: z.boolean()
        })
      )
    })
  )
})
