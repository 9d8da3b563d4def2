import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { COLORS, thresholds, words } from '../palette.js'
import { at, board, lines, number, stroke } from '../panels.js'
import { prom, promNow } from '../targets.js'

/** Name of the server's job in Prometheus' own settings. */
const JOB = 'job="quantrac"'
const DAY_SECONDS = 86_400
const RATE = '$__rate_interval'

const yesNo = (yes: string, no: string) => words([1, yes, COLORS.good], [0, no, COLORS.exceeds])
const quantile = (q: number, histogram: string, by = '') =>
  `histogram_quantile(${q}, sum by (le${by}) (rate(${histogram}_bucket[${RATE}])))`

const up = () =>
  number({
    title: 'Máy chủ',
    description: 'Prometheus có hỏi được máy chủ không. (Scrape target up.)',
    targets: [promNow(`up{${JOB}}`)]
  }).mappings([yesNo('Đang chạy', 'Không trả lời')])

const ready = () =>
  number({
    title: 'Nhận dữ liệu',
    description: 'Máy chủ có giữ được những gì gửi tới không. (Readiness.)',
    targets: [promNow('quantrac_ready')]
  }).mappings([yesNo('Sẵn sàng', 'Không nhận được')])

const journalHealthy = () =>
  number({
    title: 'Nhật ký ghi',
    description: 'Nhật ký trên đĩa có ghi được không. (Journal healthy.)',
    targets: [promNow('quantrac_journal_healthy')]
  }).mappings([yesNo('Ghi được', 'Không ghi được')])

const journalFill = () =>
  number(
    {
      title: 'Nhật ký đã đầy',
      description: 'Cỡ nhật ký trên giới hạn của nó. (Journal size against its limit.)',
      unit: 'percentunit',
      targets: [promNow('quantrac_journal_file_bytes / quantrac_journal_limit_bytes')]
    },
    thresholds(COLORS.good, [0.7, COLORS.preparing], [0.9, COLORS.exceeds])
  ).decimals(1)

const diskFree = () =>
  number(
    {
      title: 'Đĩa còn trống',
      description: 'Trên phân vùng chứa dữ liệu. (Free disk space.)',
      unit: 'bytes',
      targets: [promNow('quantrac_disk_free_bytes')]
    },
    thresholds(COLORS.exceeds, [2 * 2 ** 30, COLORS.preparing], [10 * 2 ** 30, COLORS.good])
  )

const outboxFailed = () =>
  number(
    {
      title: 'Tin không gửi được',
      description: 'Tin báo động đã bỏ sau khi gửi mãi không được. (Outbox, failed.)',
      unit: 'short',
      targets: [promNow('quantrac_outbox_messages{state="failed"}')]
    },
    thresholds(COLORS.good, [1, COLORS.exceeds])
  )

const ingest = () =>
  lines({
    title: 'Bản tin nhận vào theo đường',
    description: 'Bản tin đã ghi xuống đĩa rồi mới báo nhận, mỗi giây. (Messages acknowledged per second, by road.)',
    unit: 'cps',
    targets: [prom(`sum by (road) (rate(quantrac_messages_received_total[${RATE}]))`, '{{road}}')]
  })

const readings = () =>
  lines({
    title: 'Số đo nhận và bị từ chối',
    description: 'Theo kết quả kiểm tra, mỗi giây. (Readings by outcome.)',
    unit: 'cps',
    targets: [
      prom(`sum by (outcome) (rate(quantrac_readings_total[${RATE}]))`, '{{outcome}}'),
      prom(`sum(rate(quantrac_messages_repeated_total[${RATE}]))`, 'gửi lại', 'B')
    ]
  })
    .overrideByName('accepted', [{ id: 'displayName', value: 'nhận' }, ...stroke(COLORS.good)])
    .overrideByName('refused', [{ id: 'displayName', value: 'từ chối' }, ...stroke(COLORS.exceeds)])

const refusedByStation = () =>
  lines({
    title: 'Mười trạm bị từ chối nhiều nhất',
    description: 'Số đo bị từ chối, mỗi giây. (Refused readings by station, top ten.)',
    unit: 'cps',
    targets: [prom(`topk(10, sum by (station) (rate(quantrac_readings_total{outcome="refused"}[${RATE}])))`, '{{station}}')]
  })

const mqttRefused = () =>
  lines({
    title: 'MQTT bị từ chối',
    description: 'Kết nối và gói tin bị từ chối, theo lý do, mỗi giây. (Refused connections and packets.)',
    unit: 'cps',
    targets: [prom(`sum by (reason) (rate(quantrac_mqtt_refused_total[${RATE}]))`, '{{reason}}')]
  })

const acknowledgement = () =>
  lines({
    title: 'Thời gian tới khi báo nhận',
    description: 'Từ lúc bản tin tới đến lúc đã ghi xuống đĩa. (PUBLISH to acknowledgement.)',
    unit: 's',
    targets: [
      prom(quantile(0.5, 'quantrac_acknowledgement_seconds'), 'p50'),
      prom(quantile(0.95, 'quantrac_acknowledgement_seconds'), 'p95', 'B'),
      prom(quantile(0.99, 'quantrac_acknowledgement_seconds'), 'p99', 'C')
    ]
  })

const freshness = () =>
  lines({
    title: 'Độ trễ từ lúc đo đến lúc lưu',
    description: 'Số đo mới nhất của mỗi lượt ghi; gửi bù làm số này lớn. (Reading’s instant to stored.)',
    unit: 's',
    targets: [
      prom(quantile(0.5, 'quantrac_reading_delay_seconds', ', consumer'), 'p50 {{consumer}}'),
      prom(quantile(0.95, 'quantrac_reading_delay_seconds', ', consumer'), 'p95 {{consumer}}', 'B')
    ]
  })

const sequence = () =>
  lines({
    title: 'Bản ghi nhật ký mỗi giây',
    description: 'Tốc độ của số thứ tự cuối trên đĩa. (Journal sequence per second.)',
    unit: 'cps',
    targets: [prom(`deriv(quantrac_journal_sequence[${RATE}])`, 'bản ghi')]
  })

const backlog = () =>
  lines({
    title: 'Bản ghi chờ xuống đĩa',
    description: 'Đã nhận mà chưa ghi xong. (Journal backlog.)',
    unit: 'short',
    targets: [prom('quantrac_journal_backlog_records', 'bản ghi'), prom('quantrac_journal_backlog_bytes', 'byte', 'B')]
  }).overrideByName('byte', [
    { id: 'unit', value: 'bytes' },
    { id: 'custom.axisPlacement', value: 'right' }
  ])

const journalSize = () =>
  lines({
    title: 'Cỡ nhật ký và giới hạn',
    description: 'Tới giới hạn mà còn nơi chưa đọc xong thì máy chủ ngừng báo nhận. (Journal size and limit.)',
    unit: 'bytes',
    targets: [prom('quantrac_journal_file_bytes', 'cỡ'), prom('quantrac_journal_limit_bytes', 'giới hạn', 'B')]
  }).overrideByName('giới hạn', [...stroke(COLORS.exceeds, [10, 6]), { id: 'custom.fillOpacity', value: 0 }])

const lag = () =>
  lines({
    title: 'Bản ghi chưa xử lý của từng khâu',
    description: 'Lưu trữ, báo động, từ chối: mỗi khâu còn cách nhật ký bao nhiêu. (Consumers’ lag.)',
    unit: 'short',
    targets: [prom('quantrac_consumer_lag_records', '{{consumer}}')]
  })

const waiting = () =>
  lines({
    title: 'Khâu đang chờ',
    description: '1 khi khâu chờ kho dữ liệu ở xa. (Consumers that wait for their far side.)',
    unit: 'short',
    targets: [prom('quantrac_consumer_waiting', '{{consumer}}')]
  })
    .mappings([words([1, 'đang chờ', COLORS.exceeds], [0, 'không chờ', COLORS.good])])
    .min(0)
    .max(1)

const store = () =>
  lines({
    title: 'Số đo ghi vào kho',
    description: 'Theo việc kho đã làm: mới, thay, lặp, để riêng, mâu thuẫn; mỗi giây. (Store outcomes.)',
    unit: 'cps',
    targets: [prom(`sum by (outcome) (rate(quantrac_store_readings_total[${RATE}]))`, '{{outcome}}')]
  })
    .overrideByName('stored', [{ id: 'displayName', value: 'mới' }])
    .overrideByName('replaced', [{ id: 'displayName', value: 'thay' }])
    .overrideByName('repeated', [{ id: 'displayName', value: 'lặp' }])
    .overrideByName('setAside', [{ id: 'displayName', value: 'để riêng' }, ...stroke(COLORS.preparing)])
    .overrideByName('conflicts', [{ id: 'displayName', value: 'mâu thuẫn' }, ...stroke(COLORS.exceeds)])

const mqtt = () =>
  lines({
    title: 'Kết nối và phiên MQTT',
    description: 'Kết nối đang mở, phiên được giữ, tin chờ người nhận. (MQTT connections, sessions, queued messages.)',
    unit: 'short',
    targets: [
      prom('quantrac_mqtt_connections', 'kết nối'),
      prom('quantrac_mqtt_sessions', 'phiên', 'B'),
      prom('quantrac_mqtt_queued_messages', 'tin chờ', 'C')
    ]
  })

const outbox = () =>
  lines({
    title: 'Tin báo động trong hộp gửi',
    description: 'Đang chờ gửi và đã bỏ. (Outbox.)',
    unit: 'short',
    targets: [prom('quantrac_outbox_messages', '{{state}}'), prom('quantrac_live_listeners', 'người xem trực tiếp', 'B')]
  })
    .overrideByName('pending', [{ id: 'displayName', value: 'đang chờ' }])
    .overrideByName('failed', [{ id: 'displayName', value: 'không gửi được' }, ...stroke(COLORS.exceeds)])

const eventLoop = () =>
  lines({
    title: 'Độ trễ vòng lặp sự kiện',
    description: 'Lớn tức là luồng chính bận. (Event loop lag.)',
    unit: 's',
    targets: [prom('quantrac_nodejs_eventloop_lag_p50_seconds', 'p50'), prom('quantrac_nodejs_eventloop_lag_p99_seconds', 'p99', 'B')]
  })

const memory = () =>
  lines({
    title: 'Bộ nhớ',
    description: 'Bộ nhớ thường trú và heap của luồng chính. (Memory.)',
    unit: 'bytes',
    targets: [
      prom('quantrac_process_resident_memory_bytes', 'thường trú'),
      prom('quantrac_nodejs_heap_size_used_bytes', 'heap đang dùng', 'B')
    ]
  })

const cpu = () =>
  lines({
    title: 'Bộ xử lý',
    description: '1 là một lõi bận hoàn toàn. (CPU cores used.)',
    unit: 'short',
    targets: [prom(`rate(quantrac_process_cpu_seconds_total[${RATE}])`, 'lõi')]
  })

const certificates = () =>
  number(
    {
      title: 'Chứng thư còn hạn',
      description: 'Thời gian còn lại của chứng thư máy chủ và của nơi cấp cho trạm. (Certificates; none without TLS.)',
      unit: 's',
      targets: [promNow('quantrac_tls_certificate_expires_seconds', '{{certificate}}')]
    },
    thresholds(COLORS.exceeds, [7 * DAY_SECONDS, COLORS.preparing], [21 * DAY_SECONDS, COLORS.good])
  ).decimals(0)

const certificateFiles = () =>
  number({
    title: 'Tệp chứng thư mới',
    description: 'Tệp đã đổi trên đĩa có dùng được không; nếu không, chứng thư cũ vẫn dùng. (Changed TLS files refused.)',
    targets: [promNow('quantrac_tls_files_refused')]
  }).mappings([words([0, 'Dùng được', COLORS.good], [1, 'Không dùng được', COLORS.exceeds])])

/** What the people who run the server look at. */
export function operationsBoard(): Dashboard {
  return board({
    uid: 'quantrac-operations',
    title: 'Vận hành máy chủ',
    description: 'Nhận dữ liệu, nhật ký, các khâu xử lý, độ trễ, MQTT, hộp gửi, tài nguyên. Số liệu từ Prometheus.',
    from: 'now-6h',
    refresh: '30s',
    tag: 'van-hanh'
  })
    .withPanel(up().gridPos(at(0, 0, 4, 4)))
    .withPanel(ready().gridPos(at(4, 0, 4, 4)))
    .withPanel(journalHealthy().gridPos(at(8, 0, 4, 4)))
    .withPanel(journalFill().gridPos(at(12, 0, 4, 4)))
    .withPanel(diskFree().gridPos(at(16, 0, 4, 4)))
    .withPanel(outboxFailed().gridPos(at(20, 0, 4, 4)))
    .withRow(new RowBuilder('Nhận dữ liệu').gridPos(at(0, 4, 24, 1)))
    .withPanel(ingest().gridPos(at(0, 5, 12, 8)))
    .withPanel(readings().gridPos(at(12, 5, 12, 8)))
    .withPanel(refusedByStation().gridPos(at(0, 13, 12, 8)))
    .withPanel(mqttRefused().gridPos(at(12, 13, 12, 8)))
    .withPanel(acknowledgement().gridPos(at(0, 21, 12, 8)))
    .withPanel(freshness().gridPos(at(12, 21, 12, 8)))
    .withRow(new RowBuilder('Nhật ký và các khâu xử lý').gridPos(at(0, 29, 24, 1)))
    .withPanel(sequence().gridPos(at(0, 30, 8, 8)))
    .withPanel(backlog().gridPos(at(8, 30, 8, 8)))
    .withPanel(journalSize().gridPos(at(16, 30, 8, 8)))
    .withPanel(lag().gridPos(at(0, 38, 8, 8)))
    .withPanel(waiting().gridPos(at(8, 38, 8, 8)))
    .withPanel(store().gridPos(at(16, 38, 8, 8)))
    .withRow(new RowBuilder('MQTT, hộp gửi và tài nguyên').gridPos(at(0, 46, 24, 1)))
    .withPanel(mqtt().gridPos(at(0, 47, 12, 8)))
    .withPanel(outbox().gridPos(at(12, 47, 12, 8)))
    .withPanel(eventLoop().gridPos(at(0, 55, 8, 8)))
    .withPanel(memory().gridPos(at(8, 55, 8, 8)))
    .withPanel(cpu().gridPos(at(16, 55, 8, 8)))
    .withPanel(certificates().gridPos(at(0, 63, 16, 4)))
    .withPanel(certificateFiles().gridPos(at(16, 63, 8, 4)))
    .build()
}
