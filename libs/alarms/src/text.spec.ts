import { describe, expect, it } from '@jest/globals'
import { COD_90, feed, reading, rulesFor, slot, station } from '../test/fixtures.js'
import type { AlarmTransition } from './alarm.js'
import { Engine } from './engine.js'
import { acknowledge } from './merge.js'
import { alarmText } from './text.js'

const NAMES = { station: 'Trạm nước thải KCN Bình Hòa', zone: 'KCN Bình Hòa' }
const [raised, eased, cleared] = feed(new Engine(rulesFor([COD_90])), [95.35, 1095.5, 85, 85, 40, 40]) as [
  AlarmTransition,
  AlarmTransition,
  AlarmTransition
]

describe('a message', () => {
  it('tells somebody woken at two in the morning what, where, since when, how bad and by which limit', () => {
    expect(alarmText(raised, 'vi', NAMES)).toEqual({
      subject: '[BÁO ĐỘNG] COD 1.095,5 mg/L (giới hạn 90 mg/L) – Trạm nước thải KCN Bình Hòa (AG-X)',
      body: [
        'BÁO ĐỘNG: Nhu cầu oxy hóa học (COD) vượt giới hạn',
        'Trạm: Trạm nước thải KCN Bình Hòa (AG-X), KCN Bình Hòa',
        'Từ lúc: 24/11/2026 10:05 (giờ Việt Nam)',
        'Giá trị xấu nhất: 1.095,5 mg/L; giới hạn 90 mg/L',
        'Hiện tại: vượt giới hạn',
        'Nguồn giới hạn: QCVN 40:2011/BTNMT, cột A',
        'Quy tắc: cod-high',
        'Mã báo động: AG-X.COD.cod-high.20261124T030500Z',
        '',
        'Đây là chỉ báo để xem xét, không phải kết luận vi phạm.'
      ].join('\n')
    })
  })

  it('says it in English too', () => {
    const { subject, body } = alarmText(raised, 'en', NAMES)
    expect(subject).toBe('[ALARM] COD 1,095.5 mg/L (limit 90 mg/L) – Trạm nước thải KCN Bình Hòa (AG-X)')
    expect(body).toContain('ALARM: Chemical oxygen demand (COD) is above the limit')
    expect(body).toContain('Since: 24/11/2026 10:05 (Vietnam time)')
    expect(body).toContain('This is an indicator for review, not a finding of violation.')
  })

  it('says where the alarm stands now when it has eased, and until when it lasted when it is over', () => {
    expect(alarmText(eased, 'vi').body).toContain('Hiện tại: sắp vượt giới hạn')
    const { subject, body } = alarmText(cleared, 'vi')
    expect(subject).toMatch(/^\[ĐÃ HẾT\] COD .* – AG-X$/)
    expect(body).toContain('Đến lúc: 24/11/2026 10:25 (giờ Việt Nam)')
    expect(body).not.toContain('Hiện tại')
  })

  it('names a level that has a name, and says "reached" where the value is the level', () => {
    const level = {
      id: 'bd-2',
      parameter: 'WaterLevel',
      kinds: ['hydrology'],
      high: 4,
      unit: 'm',
      reached: true,
      bands: 'none',
      source: 'QĐ 05/2020/QĐ-TTg'
    }
    const engine = new Engine(
      rulesFor([{ ...level, consecutive: { k: 1, n: 1 } }], [station('AG-X', { kind: 'hydrology', parameters: ['WaterLevel'] })])
    )
    const readings = [reading('AG-X', slot(0), 4, { parameter: 'WaterLevel', unit: 'm' })]
    const [reached] = engine.apply(1, { station: 'AG-X', receivedAt: slot(0), readings })
    const { subject, body } = alarmText(reached!, 'vi', { ...NAMES, severity: 'Báo động II' })
    expect(subject).toMatch(/^\[BÁO ĐỘNG\] Báo động II: WaterLevel 4 m \(giới hạn 4 m\)/)
    expect(body.split('\n')[0]).toBe('BÁO ĐỘNG: Báo động II: Mực nước (WaterLevel) đạt mức giới hạn')
  })

  it('says "below" under a lower limit, and gives pH no unit', () => {
    const engine = new Engine(rulesFor([{ ...COD_90, parameter: 'pH', low: 6, high: 9, unit: '-' }]))
    const readings = [0, 1].map(n => reading('AG-X', slot(n), 5.123456789, { parameter: 'pH', unit: '-' }))
    const [low] = engine.apply(1, { station: 'AG-X', receivedAt: slot(1), readings })
    const { subject, body } = alarmText(low!, 'vi')
    expect(subject).toBe('[BÁO ĐỘNG] pH 5,12346 (giới hạn 6) – AG-X')
    expect(body.split('\n')[0]).toBe('BÁO ĐỘNG: pH dưới giới hạn')
  })

  it('says that nothing is to be done when the alarm is withdrawn', () => {
    const engine = new Engine(rulesFor([COD_90]))
    feed(engine, [95, 95])
    const correction = [reading('AG-X', slot(1), 20, { revision: 1 })]
    const [withdrawn] = engine.apply(9, { station: 'AG-X', receivedAt: slot(3), readings: correction })
    const { subject, body } = alarmText(withdrawn!, 'vi')
    expect(subject).toMatch(/^\[RÚT LẠI\]/)
    expect(body).toContain('Không cần xử lý thêm.')
    expect(body).not.toContain('Đến lúc')
  })

  it('says who has taken charge', () => {
    const taken = acknowledge(raised.alarm, { at: slot(2), by: 'Nguyễn Thị Lan', comment: 'đã gọi nhà máy' })
    const { subject, body } = alarmText(taken!, 'vi', NAMES)
    expect(subject).toMatch(/^\[ĐÃ TIẾP NHẬN\]/)
    expect(body).toContain('Người tiếp nhận: Nguyễn Thị Lan, 24/11/2026 10:10 (giờ Việt Nam)\nGhi chú: đã gọi nhà máy')
  })

  it('says of a silence since when nothing was heard, and speaks of no violation', () => {
    const engine = new Engine(rulesFor([COD_90]))
    feed(engine, [50])
    const [silent] = engine.tick(slot(9))
    const back = feed(engine, [50], 9)
    expect(alarmText(silent!, 'vi', NAMES)).toEqual({
      subject: '[MẤT TÍN HIỆU] Trạm nước thải KCN Bình Hòa (AG-X): không nhận được dữ liệu quá 15 phút',
      body: [
        'MẤT TÍN HIỆU: không nhận được dữ liệu quá 15 phút',
        'Trạm: Trạm nước thải KCN Bình Hòa (AG-X), KCN Bình Hòa',
        'Nhận dữ liệu lần cuối: 24/11/2026 10:00 (giờ Việt Nam)',
        'Quy tắc: silence',
        'Mã báo động: AG-X.silence.20261124T031500Z'
      ].join('\n')
    })
    expect(alarmText(back[0]!, 'en').subject).toBe('[SIGNAL IS BACK] AG-X: no data for more than 15 minutes')
    expect(alarmText(back[0]!, 'en').body).toContain('Data received again: 24/11/2026 10:45 (Vietnam time)')
  })
})
