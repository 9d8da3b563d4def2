/** The schema's name is put together, so that nobody takes it for a metric's. */
const PRODUCT = 'quantrac'

/** Everything of the warehouse lies here. Not `quantrac`: that is the state's, with secrets that no reader of figures may see. */
export const SCHEMA = `${PRODUCT}_warehouse`

export interface Column {
  readonly name: string
  readonly type: string
  readonly optional?: boolean
  readonly vi: string
  readonly en: string
}

const column = (name: string, type: string, vi: string, en: string): Column => ({ name, type, vi, en })
const optional = (name: string, type: string, vi: string, en: string): Column => ({ name, type, optional: true, vi, en })

/** Text is ordered by its bytes, as on our side. */
const TEXT = 'text collate "C"'

/** What names a row: one series, one period, one window. */
export const KEY: readonly Column[] = [
  column('station', TEXT, 'Mã trạm', 'Station code'),
  column('parameter', TEXT, 'Ký hiệu thông số (Thông tư 10/2021)', 'Symbol of the parameter (Circular 10/2021)'),
  column('period', TEXT, 'Kỳ tổng hợp: hour (giờ), day (ngày), month (tháng)', 'Period: hour, day or month'),
  column('end_at', 'timestamptz', 'Cuối kỳ, thuộc kỳ', 'End of the window, in it')
]

export const FIGURES: readonly Column[] = [
  column('start_at', 'timestamptz', 'Đầu kỳ, không thuộc kỳ', 'Begin of the window, not in it'),
  column('revision', 'integer', 'Số lần sửa; số cao hơn thay số thấp hơn', 'Revision; a higher one replaces a lower one'),
  column('algorithm', 'integer', 'Phiên bản thuật toán', 'Version of the algorithm'),
  column('unit', TEXT, 'Đơn vị đo', 'Unit of mean, min, max, p95 and stddev'),
  column('received', 'integer', 'Số giá trị nhận được trong kỳ', 'Readings of the window, whatever their status'),
  column('count', 'integer', 'Số giá trị hợp lệ đưa vào thống kê', 'Readings that entered the statistics'),
  column('expected', 'integer', 'Số giá trị trạm phải gửi', 'Readings that the station should have sent'),
  column('completeness', 'double precision', 'Tỷ lệ đầy đủ: count / expected, tối đa 1', 'count / expected, at most 1'),
  optional('valid_share', 'double precision', 'Tỷ lệ hợp lệ: count / received', 'count / received; null where nothing was received'),
  column('sufficient', 'boolean', 'Đạt ngưỡng đầy đủ của kỳ', 'Whether completeness reaches the threshold of the period'),
  optional('mean', 'double precision', 'Giá trị trung bình', 'Mean; null where there is none'),
  optional('min', 'double precision', 'Giá trị nhỏ nhất', 'Least value'),
  optional('min_at', 'timestamptz', 'Thời điểm giá trị nhỏ nhất', 'When the least value was measured'),
  optional('max', 'double precision', 'Giá trị lớn nhất', 'Greatest value'),
  optional('max_at', 'timestamptz', 'Thời điểm giá trị lớn nhất', 'When the greatest value was measured'),
  optional(
    'sum',
    'double precision',
    'Tổng lượng (m3, mm hoặc kg) nếu có nghĩa',
    'Volume (m3), fall (mm) or load (kg), where that has a sense'
  ),
  optional('p95', 'double precision', 'Phân vị thứ 95', '95th percentile'),
  optional('stddev', 'double precision', 'Độ lệch chuẩn', 'Standard deviation'),
  optional('worst_flag', 'smallint', 'Cờ chất lượng xấu nhất (QARTOD: 1, 2, 9, 3, 4)', 'Worst quality flag (QARTOD: 1, 2, 9, 3, 4)'),
  column('exceedance_minutes', 'double precision', 'Số phút vượt giới hạn', 'Minutes for which readings stand that exceed a limit')
]

const NAMES: Readonly<Record<string, string>> = {
  station: 'tram',
  parameter: 'thong_so',
  period: 'ky',
  start_at: 'bat_dau',
  end_at: 'ket_thuc',
  unit: 'don_vi',
  mean: 'trung_binh',
  min: 'nho_nhat',
  min_at: 'luc_nho_nhat',
  max: 'lon_nhat',
  max_at: 'luc_lon_nhat',
  sum: 'tong_luong',
  p95: 'phan_vi_95',
  stddev: 'do_lech_chuan',
  count: 'so_gia_tri',
  received: 'so_nhan_duoc',
  expected: 'so_phai_co',
  completeness: 'ty_le_day_du',
  valid_share: 'ty_le_hop_le',
  sufficient: 'du_du_lieu',
  worst_flag: 'co_xau_nhat',
  exceedance_minutes: 'so_phut_vuot',
  revision: 'lan_sua',
  written_at: 'luc_ghi'
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`
const define = ({ name, type, optional: mayBeNull }: Column): string => `  ${name} ${type}${mayBeNull ? '' : ' not null'}`

const WRITTEN = column('written_at', 'timestamptz', 'Lúc ghi lần sửa này vào kho', 'When this revision was written here')
const COLUMNS = [...KEY, ...FIGURES, WRITTEN]
const TABLE = `${SCHEMA}.aggregate`
const TIMES = new Set(COLUMNS.filter(({ type }) => type === 'timestamptz').map(({ name }) => name))

const comment = (what: string, vi: string, en: string): string => `comment on ${what} is ${quote(`${vi} / ${en}`)};`

/** Names of constraints are read by people: they are the reason with which a row is refused. */
const table = (): string => `
create table ${TABLE} (
${[...KEY, ...FIGURES].map(define).join(',\n')},
  written_at timestamptz not null default now(),
  constraint aggregate_key primary key (station, parameter, period, end_at),
  constraint station_is_named check (station <> ''),
  constraint parameter_is_named check (parameter <> ''),
  constraint period_is_hour_day_or_month check (period in ('hour', 'day', 'month')),
  constraint window_ends_after_its_begin check (end_at > start_at),
  constraint revision_is_not_negative check (revision >= 0),
  constraint counts_fit check (count >= 0 and received >= count and expected >= 0),
  constraint shares_are_shares check (completeness between 0 and 1 and valid_share between 0 and 1),
  constraint minutes_are_not_negative check (exceedance_minutes >= 0)
);
create index aggregate_by_end on ${TABLE} (period, end_at);
${comment(`table ${TABLE}`, 'Số liệu tổng hợp theo giờ, ngày, tháng; mỗi kỳ một dòng, lần sửa mới nhất', 'Aggregates per hour, day and month; one row for each window, its newest revision')}
${COLUMNS.map(({ name, vi, en }) => comment(`column ${TABLE}.${name}`, vi, en)).join('\n')}`

const view = (): string => `
create view ${SCHEMA}.tong_hop as select
${Object.entries(NAMES)
  .map(([from, to]) => `  ${TIMES.has(from) ? `${from} at time zone interval '7 hours'` : from} as ${to}`)
  .join(',\n')}
from ${TABLE};
${comment(`view ${SCHEMA}.tong_hop`, 'Số liệu tổng hợp với tên cột tiếng Việt, giờ Việt Nam (UTC+7)', 'The aggregates with Vietnamese column names, times in UTC+7')}
${COLUMNS.flatMap(({ name, vi, en }) => (NAMES[name] ? [comment(`column ${SCHEMA}.tong_hop.${NAMES[name]}`, vi, en)] : [])).join('\n')}`

const bits = (name: string): string => `coalesce(encode(float8send(a.${name} + 0), 'hex'), '')`
const millis = (name: string): string => `coalesce(round(extract(epoch from a.${name}) * 1000)::bigint::text, '')`
const whole = (name: string): string => `coalesce(a.${name}::text, '')`
/** The order of `warehouseText`. */
const PARTS = [
  ...['station', 'parameter', 'period'].map(name => `a.${name}`),
  ...['start_at', 'end_at'].map(millis),
  ...['revision', 'algorithm'].map(whole),
  'a.unit',
  ...['received', 'count', 'expected'].map(whole),
  ...['completeness', 'valid_share'].map(bits),
  "case when a.sufficient then '1' else '0' end",
  bits('mean'),
  ...['min', 'max'].flatMap(name => [bits(name), millis(`${name}_at`)]),
  ...['sum', 'p95', 'stddev'].map(bits),
  whole('worst_flag'),
  bits('exceedance_minutes')
]

const checksums = (): string => `
create function ${SCHEMA}.row_text(a ${TABLE}) returns text stable language sql as $$
  select 'v1|' || ${PARTS.join(" || '|' || ")}
$$;
create function ${SCHEMA}.row_checksum(a ${TABLE}) returns bigint stable language sql as $$
  select ('x' || encode(substring(sha256(convert_to(${SCHEMA}.row_text(a), 'UTF8')) from 1 for 8), 'hex'))::bit(64)::bigint
$$;
create function ${SCHEMA}.hex64(total numeric) returns text immutable language sql as $$
  select lpad(to_hex((case when m >= 9223372036854775808 then m - 18446744073709551616 else m end)::bigint), 16, '0')
  from (select mod(mod(total, 18446744073709551616) + 18446744073709551616, 18446744073709551616) as m) as modulo
$$;
create function ${SCHEMA}.digest(of_period text, after timestamptz, until timestamptz)
returns table (station text, date text, count integer, checksum text) stable language sql as $$
  select a.station, to_char((a.end_at - interval '1 millisecond') at time zone interval '7 hours', 'YYYY-MM-DD'),
    count(*)::integer, ${SCHEMA}.hex64(sum(${SCHEMA}.row_checksum(a)))
  from ${TABLE} as a
  where a.period = of_period and a.end_at > after and a.end_at <= until
  group by 1, 2 order by 1, 2
$$;
${comment(`function ${SCHEMA}.row_text(${TABLE})`, 'Chuỗi chuẩn của một dòng để tính mã kiểm tra', 'Text of a row of which its checksum is taken')}
${comment(`function ${SCHEMA}.row_checksum(${TABLE})`, '64 bit đầu của SHA-256 chuỗi chuẩn', 'First 64 bits of the SHA-256 of that text')}
${comment(`function ${SCHEMA}.hex64(numeric)`, 'Tổng theo modulo 2^64, 16 chữ số thập lục phân', 'A sum modulo 2^64 as 16 hexadecimal digits')}
${comment(
  `function ${SCHEMA}.digest(text, timestamptz, timestamptz)`,
  'Số dòng và mã kiểm tra theo trạm và ngày, để đối chiếu hằng ngày',
  'Rows and checksum by station and day, for the daily comparison'
)}`

/** Forward only. Add at the end; never change one that was released. */
export const MIGRATIONS: readonly string[] = [[table(), view(), checksums()].join('\n')]

/** The versions that are there; the newest is the schema's. */
export const VERSION_TABLE = `
create table if not exists ${SCHEMA}.version (version integer primary key, applied_at timestamptz not null default now());
${comment(`table ${SCHEMA}.version`, 'Các phiên bản lược đồ đã áp dụng', 'Versions of this schema that were applied')}
${comment(`column ${SCHEMA}.version.version`, 'Phiên bản', 'Version')}
${comment(`column ${SCHEMA}.version.applied_at`, 'Lúc áp dụng', 'When it was applied')}
`
export const CREATE_SCHEMA = `create schema ${SCHEMA};
${comment(`schema ${SCHEMA}`, 'Kho số liệu quan trắc tổng hợp', 'Warehouse of monitoring aggregates')}
`
