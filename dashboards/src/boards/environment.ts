import { FrameGeometrySourceMode } from '@grafana/grafana-foundation-sdk/common'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as MapPanel } from '@grafana/grafana-foundation-sdk/geomap'
import { PanelBuilder as TimelinePanel } from '@grafana/grafana-foundation-sdk/statetimeline'
import {
  alarmStateMappings,
  bandMappings,
  COLORS,
  STATES,
  stateMappings,
  statusMappings,
  thresholds,
  transitionMappings
} from '../palette.js'
import type { Column } from '../panels.js'
import { at, board, INSTANT, just, lines, namedBy, stroke, table } from '../panels.js'
import { alarmHistory, openAlarms } from '../queries/alarms.js'
import { bandsOverTime, limitLines, measuredValues, newestOfStation, otherValues } from '../queries/series.js'
import { stateCounts, stationMap, stationTable } from '../queries/stations.js'
import { flux } from '../targets.js'
import { parameterVariable, stationVariable, zoneVariable } from '../variables.js'

/** Around Long Xuyên, so that the whole province is seen. */
const CENTRE = { lat: 10.25, lon: 105, zoom: 9 }

const stateColumn: Column = { name: 'state_code', title: 'Trạng thái', mappings: stateMappings(), painted: true, width: 160 }
const stationColumns: readonly Column[] = [
  { name: 'station', title: 'Mã trạm', width: 190 },
  { name: 'name', title: 'Tên trạm' },
  { name: 'zone', title: 'Khu vực' }
]

const map = (): MapPanel =>
  new MapPanel()
    .title('Bản đồ trạm quan trắc')
    .description('Mỗi điểm là một trạm, tô màu và ghi chữ theo trạng thái. (Stations by state.)')
    .targets([flux(stationMap())])
    .mappings(stateMappings())
    .thresholds(just(thresholds(COLORS.good)))
    .view(just({ id: 'coords', ...CENTRE, allLayers: true }))
    .controls(just({ showZoom: true, mouseWheelZoom: false, showAttribution: true }))
    .basemap(just({ type: 'default', name: 'Nền' }))
    .layers([
      just({
        type: 'markers',
        name: 'Trạm',
        tooltip: true,
        location: { mode: FrameGeometrySourceMode.Coords, latitude: 'lat', longitude: 'lon' },
        config: {
          showLegend: true,
          style: {
            size: { fixed: 9, min: 2, max: 15 },
            opacity: 0.9,
            symbol: { mode: 'fixed', fixed: 'img/icons/marker/circle.svg' },
            color: { field: 'state_code', fixed: COLORS.neutral },
            text: { mode: 'field', field: 'state_code', fixed: '' },
            textConfig: { fontSize: 11, offsetX: 0, offsetY: -14, textAlign: 'center', textBaseline: 'middle' }
          }
        }
      })
    ])

const counts = () =>
  table(
    {
      title: 'Số trạm theo trạng thái',
      description: 'Trạng thái mới nhất của từng trạm. (Stations in each state.)',
      targets: [flux(stateCounts())]
    },
    [stateColumn, { name: 'stations', title: 'Số trạm', unit: 'short', width: 90 }]
  )

const stations = () =>
  table(
    {
      title: 'Danh sách trạm',
      description: 'Trạng thái, từ khi nào, và số đo mới nhất trong 24 giờ qua. (State, since when, newest readings.)',
      targets: [flux(stationTable())]
    },
    [
      ...stationColumns,
      stateColumn,
      { name: 'since', title: 'Từ lúc', unit: INSTANT, width: 150 },
      { name: 'newest', title: 'Số đo mới nhất lúc', unit: INSTANT, width: 150 },
      { name: 'readings', title: 'Số đo mới nhất' }
    ]
  )

const newest = () =>
  table(
    {
      title: 'Số đo mới nhất của trạm $station',
      description:
        'Từng thông số với đơn vị, giới hạn và mức. “Chưa có giới hạn” không có nghĩa là đạt. (Newest reading of each parameter.)',
      targets: [flux(newestOfStation())]
    },
    [
      { name: 'parameter', title: 'Ký hiệu', width: 90 },
      { name: 'name', title: 'Thông số' },
      { name: 'value', title: 'Giá trị', width: 80 },
      { name: 'unit', title: 'Đơn vị', width: 80 },
      { name: 'low', title: 'Giới hạn dưới', width: 110 },
      { name: 'high', title: 'Giới hạn trên', width: 110 },
      { name: 'band', title: 'Mức', mappings: stateMappings(), painted: true, width: 150 },
      { name: 'status', title: 'Tình trạng đo', mappings: [statusMappings()], width: 130 },
      { name: 'at', title: 'Lúc', unit: INSTANT, width: 150 },
      { name: 'source', title: 'Nguồn giới hạn' }
    ]
  )

const parameterChart = () =>
  lines({
    title: '$parameter tại $station so với giới hạn',
    description: 'Giá trị đo, các mức cảnh báo, và số đo khi hiệu chuẩn hoặc lỗi. (Values against the limit and its bands.)',
    targets: [flux(measuredValues(), 'A'), flux(otherValues(), 'B'), flux(limitLines(), 'C')]
  })
    .overrideByFieldType('number', namedBy('series'))
    .overrideByName('Giá trị đo', [...stroke(COLORS.neutral), { id: 'custom.lineWidth', value: 2 }])
    .overrideByRegexp('/^Giới hạn/', [
      ...stroke(COLORS.exceeds),
      { id: 'custom.fillOpacity', value: 0 },
      { id: 'custom.lineWidth', value: 2 }
    ])
    .overrideByRegexp('/^Sắp/', [...stroke(COLORS.preparing, [10, 6]), { id: 'custom.fillOpacity', value: 0 }])
    .overrideByRegexp('/^Có xu hướng/', [...stroke(COLORS.tendency, [4, 6]), { id: 'custom.fillOpacity', value: 0 }])
    .overrideByName('Đang hiệu chuẩn', pointsOnly(COLORS.adjusting))
    .overrideByName('Lỗi thiết bị', pointsOnly(COLORS.fault))
    .overrideByName('Không dùng được', pointsOnly(COLORS.offline))

const pointsOnly = (color: string) => [...stroke(color), { id: 'custom.drawStyle', value: 'points' }, { id: 'custom.pointSize', value: 7 }]

const bands = (): TimelinePanel =>
  new TimelinePanel()
    .title('Mức của $parameter tại $station theo thời gian')
    .description(
      'Mức xấu nhất trong mỗi khoảng: trong giới hạn, có xu hướng vượt, sắp vượt, vượt; đang hiệu chuẩn; lỗi. (Worst band of each span.)'
    )
    .targets([flux(bandsOverTime())])
    .overrideByFieldType('number', namedBy('series'))
    .mappings([...stateMappings()])
    .mergeValues(true)

const alarmColumns: readonly Column[] = [
  { name: 'at', title: 'Lúc', unit: INSTANT, width: 150 },
  ...stationColumns,
  { name: 'parameter', title: 'Thông số', width: 100 },
  { name: 'severity', title: 'Mức', mappings: [bandMappings()], painted: true, width: 150 },
  { name: 'value', title: 'Giá trị xấu nhất', width: 120 },
  { name: 'limit', title: 'Giới hạn', width: 90 },
  { name: 'unit', title: 'Đơn vị', width: 80 }
]

const open = () =>
  table(
    {
      title: 'Báo động chưa xong',
      description: 'Chỉ báo để xem xét, không phải kết luận vi phạm. Mất tín hiệu cũng là báo động. (Alarms that want somebody.)',
      targets: [flux(openAlarms())]
    },
    [...alarmColumns, { name: 'state', title: 'Tình trạng', mappings: [alarmStateMappings()], painted: true, width: 230 }]
  )

const history = () =>
  table(
    {
      title: 'Diễn biến báo động',
      description: 'Mọi diễn biến trong khoảng thời gian đang xem, mới nhất trước; nhiều nhất 500 dòng. (What happened to alarms.)',
      targets: [flux(alarmHistory())]
    },
    [
      { name: 'transition', title: 'Diễn biến', mappings: [transitionMappings()], width: 120 },
      ...alarmColumns,
      { name: 'rule', title: 'Quy tắc', width: 170 }
    ]
  )

/** What the environment staff looks at: where it is bad now, since when, and what was done. */
export function environmentBoard(): Dashboard {
  return board({
    uid: 'quantrac-environment',
    title: 'Quan trắc môi trường',
    description: `Trạng thái trạm, số đo so với giới hạn, báo động. Các trạng thái: ${STATES.map(({ word }) => word.toLowerCase()).join(', ')}.`,
    from: 'now-24h',
    refresh: '1m',
    tag: 'moi-truong'
  })
    .withVariable(zoneVariable())
    .withVariable(stationVariable())
    .withVariable(parameterVariable())
    .withPanel(map().gridPos(at(0, 0, 14, 14)))
    .withPanel(counts().gridPos(at(14, 0, 10, 5)))
    .withPanel(open().gridPos(at(14, 5, 10, 9)))
    .withPanel(stations().gridPos(at(0, 14, 24, 10)))
    .withPanel(parameterChart().gridPos(at(0, 24, 14, 10)))
    .withPanel(newest().gridPos(at(14, 24, 10, 14)))
    .withPanel(bands().gridPos(at(0, 34, 14, 4)))
    .withPanel(history().gridPos(at(0, 38, 24, 10)))
    .build()
}
