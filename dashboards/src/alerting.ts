import { FOLDER } from './provisioning.js'
import { PROMETHEUS } from './targets.js'

/** A rule on the system's own health: fires while `expr` passes `threshold` for `lasting`. */
interface Health {
  readonly uid: string
  readonly title: string
  readonly summary: string
  readonly expr: string
  readonly when: 'above' | 'below'
  readonly threshold: number
  readonly lasting: string
  readonly severity: 'warning' | 'critical'
  /** What no answer at all means. */
  readonly silence?: 'OK' | 'Alerting'
}

const DAY_SECONDS = 86_400
const GIBIBYTE = 2 ** 30
const SECONDS = { query: 600, now: 0 }

/**
 * Nobody's stations: these say that the system itself needs a hand. Each compares one number with one threshold, so that what
 * is shown in the alert is the number itself.
 */
export const HEALTH: readonly Health[] = [
  {
    uid: 'quantrac-down',
    title: 'Máy chủ không trả lời',
    summary: 'Prometheus không hỏi được máy chủ trong 2 phút.',
    expr: 'up{job="quantrac"}',
    when: 'below',
    threshold: 1,
    lasting: '2m',
    severity: 'critical',
    silence: 'Alerting'
  },
  {
    uid: 'quantrac-not-ready',
    title: 'Máy chủ không nhận được dữ liệu',
    summary: 'Không giữ được những gì trạm gửi tới; xem /health/ready.',
    expr: 'quantrac_ready',
    when: 'below',
    threshold: 1,
    lasting: '1m',
    severity: 'critical'
  },
  {
    uid: 'quantrac-journal-unhealthy',
    title: 'Nhật ký không ghi được',
    summary: 'Không bản tin nào được báo nhận. Xem đĩa và nhật ký máy chủ (QT_JOURNAL_…).',
    expr: 'quantrac_journal_healthy',
    when: 'below',
    threshold: 1,
    lasting: '1m',
    severity: 'critical'
  },
  {
    uid: 'quantrac-journal-nearly-full',
    title: 'Nhật ký sắp đầy',
    summary: 'Đã dùng {{ printf "%.2f" $values.B.Value }} phần của giới hạn. Tìm khâu đang chờ, hoặc nâng QUANTRAC_JOURNAL_MAX_BYTES.',
    expr: 'quantrac_journal_file_bytes / quantrac_journal_limit_bytes',
    when: 'above',
    threshold: 0.8,
    lasting: '10m',
    severity: 'warning'
  },
  {
    uid: 'quantrac-disk-low',
    title: 'Đĩa sắp đầy',
    summary: 'Phân vùng chứa dữ liệu còn dưới 5 GiB.',
    expr: 'quantrac_disk_free_bytes',
    when: 'below',
    threshold: 5 * GIBIBYTE,
    lasting: '10m',
    severity: 'warning'
  },
  {
    uid: 'quantrac-consumer-lag',
    title: 'Một khâu xử lý tụt lại',
    summary: 'Khâu {{ $labels.consumer }} còn {{ $values.B.Value }} bản ghi chưa xử lý.',
    expr: 'max by (consumer) (quantrac_consumer_lag_records)',
    when: 'above',
    threshold: 100_000,
    lasting: '15m',
    severity: 'warning'
  },
  {
    uid: 'quantrac-consumer-waiting',
    title: 'Một khâu xử lý phải chờ',
    summary: 'Khâu {{ $labels.consumer }} chờ kho dữ liệu. Không mất gì, nhưng màn hình và báo động chậm lại.',
    expr: 'max by (consumer) (quantrac_consumer_waiting)',
    when: 'above',
    threshold: 0.5,
    lasting: '5m',
    severity: 'warning'
  },
  {
    uid: 'quantrac-outbox-failed',
    title: 'Có tin báo động không gửi được',
    summary: '{{ $values.B.Value }} tin đã bỏ. Xem: npm run -s ops -- outbox list.',
    expr: 'sum(quantrac_outbox_messages{state="failed"})',
    when: 'above',
    threshold: 0.5,
    lasting: '5m',
    severity: 'warning'
  },
  {
    uid: 'quantrac-certificate-ends',
    title: 'Chứng thư sắp hết hạn',
    summary: 'Chứng thư {{ $labels.certificate }} còn {{ humanizeDuration $values.B.Value }}. Hết hạn thì trạm không kết nối được.',
    expr: 'min by (certificate) (quantrac_tls_certificate_expires_seconds)',
    when: 'below',
    threshold: 14 * DAY_SECONDS,
    lasting: '1h',
    severity: 'warning'
  },
  {
    uid: 'quantrac-certificate-files-refused',
    title: 'Tệp chứng thư mới không dùng được',
    summary: 'Máy chủ vẫn dùng chứng thư cũ. Xem nhật ký máy chủ (QT_TLS_…).',
    expr: 'quantrac_tls_files_refused',
    when: 'above',
    threshold: 0.5,
    lasting: '5m',
    severity: 'warning'
  }
]

const EXPRESSION = '__expr__'
const { query: from, now: to } = SECONDS

/** A `$` of a template must not be taken for a variable of Grafana's environment. */
const escaped = (text: string): string => text.replaceAll('$', '$$$$')

const query = (expr: string) => ({
  refId: 'A',
  datasourceUid: PROMETHEUS.uid,
  relativeTimeRange: { from, to },
  model: { refId: 'A', datasource: PROMETHEUS, expr, instant: true, range: false, intervalMs: 15_000, maxDataPoints: 43_200 }
})

const reduced = () => ({
  refId: 'B',
  datasourceUid: EXPRESSION,
  relativeTimeRange: { from, to },
  model: { refId: 'B', type: 'reduce', datasource: { type: EXPRESSION, uid: EXPRESSION }, expression: 'A', reducer: 'last' }
})

const compared = ({ when, threshold }: Health) => ({
  refId: 'C',
  datasourceUid: EXPRESSION,
  relativeTimeRange: { from, to },
  model: {
    refId: 'C',
    type: 'threshold',
    datasource: { type: EXPRESSION, uid: EXPRESSION },
    expression: 'B',
    conditions: [{ evaluator: { type: when === 'above' ? 'gt' : 'lt', params: [threshold] } }]
  }
})

const rule = (health: Health) => ({
  uid: health.uid,
  title: health.title,
  condition: 'C',
  data: [query(health.expr), reduced(), compared(health)],
  noDataState: health.silence ?? 'OK',
  execErrState: 'Error',
  for: health.lasting,
  annotations: { summary: escaped(health.summary) },
  labels: { severity: health.severity, product: 'quantrac' },
  isPaused: false
})

/** One group in the boards' folder. Who is told is set up in Grafana: an address is nobody's to ship. */
export const alertRules = () => ({
  apiVersion: 1,
  groups: [{ orgId: 1, name: 'quantrac: hệ thống', folder: FOLDER.title, interval: '1m', rules: HEALTH.map(rule) }]
})
