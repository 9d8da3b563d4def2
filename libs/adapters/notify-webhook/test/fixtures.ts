import type { Alarm, AlarmTransition, OutboxMessage } from '#libs/pipeline'

export const RAISED_AT = Date.UTC(2026, 10, 24, 3, 5, 0)
export const NOW = Date.UTC(2026, 10, 24, 3, 6, 30)

export const alarm: Alarm = {
  id: 'AG-X.COD.cod-high.20261124T030500Z',
  kind: 'limit',
  station: 'AG-X',
  parameter: 'COD',
  rule: 'cod-high',
  severity: 'exceeds',
  state: 'unacknowledged-active',
  value: 95.35,
  limit: 90,
  unit: 'mg/L',
  raisedAt: RAISED_AT,
  clearedAt: null,
  acknowledgedAt: null,
  acknowledgedBy: null,
  comment: null,
  source: 'QCVN 40:2011/BTNMT, cột A'
}

export const raised: AlarmTransition = { id: `${alarm.id}.raised`, kind: 'raised', at: RAISED_AT, alarm, level: 'exceeds' }

export const messageTo = (target: string, more: Partial<OutboxMessage> = {}): OutboxMessage => ({
  key: '0123456789abcdef0123456789abcdef01234567',
  channel: 'webhook',
  target,
  transition: raised,
  attempts: 0,
  ...more
})

export const text = ({ kind, alarm: { station } }: AlarmTransition, language: 'vi' | 'en') =>
  language === 'vi'
    ? { subject: `[BÁO ĐỘNG] ${station}`, body: `Trạm ${station}: vượt giới hạn` }
    : { subject: `[ALARM] ${station}`, body: `Station ${station}: ${kind}, above the limit` }
