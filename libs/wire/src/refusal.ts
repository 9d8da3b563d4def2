import type { Millis } from '#libs/model'

/**
 * Why a message or a reading was refused. The words are stable: they stand in the journal, in metrics and in the API.
 * New ones are added, none is renamed.
 */
export type RefusalReason =
  // about a whole message
  | 'payload-too-large'
  | 'not-utf8'
  | 'too-deep'
  | 'not-json'
  | 'too-many-items'
  | 'too-many-readings'
  | 'no-readings'
  | 'wrong-shape'
  | 'wrong-station'
  | 'no-zone'
  | 'bad-instant'
  | 'unknown-topic'
  | 'unknown-station'
  // about one reading
  | 'unknown-parameter'
  | 'unknown-unit'
  | 'not-a-number'
  | 'wrong-status'
  | 'bad-revision'

/** A message that was refused whole. */
export interface Refusal {
  readonly reason: RefusalReason
  /** For a person who mends the device: what stood there. Never longer than DETAIL_LENGTH; empty where the reason says it all. */
  readonly detail: string
}

/** A reading that was refused while the rest of its message was kept. `parameter` is null where a whole item of a batch had no readable name. */
export interface ItemRefusal extends Refusal {
  readonly parameter: string | null
  readonly at: Millis | null
}

/** What a reason says to people, in both languages of the product. */
export const REFUSALS: Readonly<Record<RefusalReason, { readonly vi: string; readonly en: string }>> = {
  'payload-too-large': { vi: 'Bản tin lớn hơn 256 KiB', en: 'The message is larger than 256 KiB' },
  'not-utf8': { vi: 'Bản tin không phải là UTF-8', en: 'The message is not UTF-8' },
  'too-deep': { vi: 'JSON lồng nhau quá 16 cấp', en: 'The JSON is nested deeper than 16 levels' },
  'not-json': { vi: 'Bản tin không phải là JSON hợp lệ', en: 'The message is not valid JSON' },
  'too-many-items': { vi: 'Một bản tin có hơn 1.000 mục', en: 'The message has more than 1,000 items' },
  'too-many-readings': { vi: 'Một bản tin có hơn 20.000 giá trị', en: 'The message has more than 20,000 readings' },
  'no-readings': { vi: 'Bản tin không có giá trị nào', en: 'The message has no reading' },
  'wrong-shape': { vi: 'Bản tin không đúng cấu trúc', en: 'The message does not have the expected shape' },
  'wrong-station': { vi: 'Bản tin ghi mã trạm khác', en: 'The message names another station' },
  'no-zone': { vi: 'Thời gian không có múi giờ', en: 'The time has no zone' },
  'bad-instant': { vi: 'Thời gian không hợp lệ', en: 'The time is not valid' },
  'unknown-topic': { vi: 'Chủ đề MQTT không được dùng', en: 'The MQTT topic is not in use' },
  'unknown-station': { vi: 'Trạm chưa được đăng ký', en: 'The station is not registered' },
  'unknown-parameter': { vi: 'Thông số không có trong cấu hình trạm', en: 'The station does not measure this parameter' },
  'unknown-unit': { vi: 'Đơn vị không dùng được cho thông số này', en: 'The unit is unknown or does not fit the parameter' },
  'not-a-number': { vi: 'Giá trị không phải là số', en: 'The value is not a number' },
  'wrong-status': { vi: 'Trạng thái đo phải gồm hai chữ số', en: 'A sensor status must have two digits' },
  'bad-revision': { vi: 'Số lần sửa phải từ 0 đến 65.535', en: 'The revision must be an integer from 0 to 65,535' }
}

export const REFUSAL_REASONS = Object.keys(REFUSALS) as readonly RefusalReason[]

const DETAIL_LENGTH = 120
const NAME_LENGTH = 64

/** Text from outside, made safe to keep and show: cut off, no lone surrogates (UTF-8 has none), no control characters. */
function clip(text: string, length: number): string {
  const short = text.slice(0, length)
  if (/^[ -~]*$/.test(short)) return short
  return short.replace(/\p{Surrogate}/gu, '\ufffd').replace(/\p{Control}/gu, ' ')
}

export const refusal = (reason: RefusalReason, detail = ''): Refusal => ({ reason, detail: clip(detail, DETAIL_LENGTH) })

/** Any JSON value as a detail. */
export const excerpt = (value: unknown): string => (value === undefined ? '' : clip(JSON.stringify(value), DETAIL_LENGTH))

/** A name from outside (a parameter's), as it is kept beside a refusal. */
export const clipName = (name: string): string => clip(name, NAME_LENGTH)
