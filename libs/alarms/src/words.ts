import type { TransitionKind } from './alarm.js'

export type Language = 'vi' | 'en'

/** Where a value stands: in a warning band, or past, below or exactly at its limit. */
export type Standing = 'within' | 'tendency' | 'preparing' | 'above' | 'below' | 'at'

/** What messages are made of, in one language. */
export interface Words {
  readonly kinds: Readonly<Record<TransitionKind, string>>
  readonly noSignal: string
  readonly signalBack: string
  readonly standings: Readonly<Record<Standing, string>>
  readonly noDataFor: (minutes: string) => string
  readonly station: string
  readonly since: string
  readonly until: string
  readonly worst: string
  readonly limit: string
  readonly now: string
  readonly source: string
  readonly lastHeard: string
  readonly heardAgain: string
  readonly by: string
  readonly comment: string
  readonly rule: string
  readonly id: string
  readonly zone: string
  readonly notFound: string
  readonly disclaimer: string
}

export const WORDS: Readonly<Record<Language, Words>> = {
  vi: {
    kinds: {
      raised: 'BÁO ĐỘNG',
      escalated: 'TĂNG MỨC',
      eased: 'GIẢM MỨC',
      cleared: 'ĐÃ HẾT',
      acknowledged: 'ĐÃ TIẾP NHẬN',
      revised: 'ĐIỀU CHỈNH',
      withdrawn: 'RÚT LẠI'
    },
    noSignal: 'MẤT TÍN HIỆU',
    signalBack: 'CÓ TÍN HIỆU LẠI',
    standings: {
      within: 'trong giới hạn',
      tendency: 'có xu hướng vượt giới hạn',
      preparing: 'sắp vượt giới hạn',
      above: 'vượt giới hạn',
      below: 'dưới giới hạn',
      at: 'đạt mức giới hạn'
    },
    noDataFor: minutes => `không nhận được dữ liệu quá ${minutes} phút`,
    station: 'Trạm',
    since: 'Từ lúc',
    until: 'Đến lúc',
    worst: 'Giá trị xấu nhất',
    limit: 'giới hạn',
    now: 'Hiện tại',
    source: 'Nguồn giới hạn',
    lastHeard: 'Nhận dữ liệu lần cuối',
    heardAgain: 'Nhận lại dữ liệu',
    by: 'Người tiếp nhận',
    comment: 'Ghi chú',
    rule: 'Quy tắc',
    id: 'Mã báo động',
    zone: 'giờ Việt Nam',
    notFound: 'Dữ liệu gửi bù hoặc quy tắc mới cho thấy không có báo động này. Không cần xử lý thêm.',
    disclaimer: 'Đây là chỉ báo để xem xét, không phải kết luận vi phạm.'
  },
  en: {
    kinds: {
      raised: 'ALARM',
      escalated: 'ESCALATED',
      eased: 'EASED',
      cleared: 'CLEARED',
      acknowledged: 'ACKNOWLEDGED',
      revised: 'REVISED',
      withdrawn: 'WITHDRAWN'
    },
    noSignal: 'NO SIGNAL',
    signalBack: 'SIGNAL IS BACK',
    standings: {
      within: 'within the limit',
      tendency: 'tends towards the limit',
      preparing: 'is close to the limit',
      above: 'is above the limit',
      below: 'is below the limit',
      at: 'has reached the limit'
    },
    noDataFor: minutes => `no data for more than ${minutes} minutes`,
    station: 'Station',
    since: 'Since',
    until: 'Until',
    worst: 'Worst value',
    limit: 'limit',
    now: 'Now',
    source: 'Source of the limit',
    lastHeard: 'Last data received',
    heardAgain: 'Data received again',
    by: 'Acknowledged by',
    comment: 'Comment',
    rule: 'Rule',
    id: 'Alarm id',
    zone: 'Vietnam time',
    notFound: 'Late data or a new rule showed that there was no such alarm. Nothing more is to be done.',
    disclaimer: 'This is an indicator for review, not a finding of violation.'
  }
}
