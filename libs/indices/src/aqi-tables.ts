import type { Scale } from './scale.js'

/** Table 1 of Decision 1459/QD-TCMT of 2019-11-12 (regulations.md 4.3), concentrations in ug/m3. */
export const AQI_SOURCE = 'Quyết định 1459/QĐ-TCMT ngày 12/11/2019'

const INDEX = [0, 50, 100, 150, 200, 300, 400, 500] as const

const scale = (...concentrations: readonly number[]): Scale => ({
  points: concentrations.map((concentration, i) => [concentration, INDEX[i] ?? 500] as const)
})

export type AqiScaleName = 'O3-1h' | 'O3-8h' | 'CO-1h' | 'SO2-1h' | 'NO2-1h' | 'PM10-24h' | 'PM2,5-24h'

export const AQI_SCALES: Readonly<Record<AqiScaleName, Scale>> = {
  'O3-1h': scale(0, 160, 200, 300, 400, 800, 1_000, 1_200),
  // Ends at 400: above it the eight hours are not used (section 2.2.2).
  'O3-8h': scale(0, 100, 120, 170, 210, 400),
  'CO-1h': scale(0, 10_000, 30_000, 45_000, 60_000, 90_000, 120_000, 150_000),
  'SO2-1h': scale(0, 125, 350, 550, 800, 1_600, 2_100, 2_630),
  'NO2-1h': scale(0, 100, 200, 700, 1_200, 2_350, 3_100, 3_850),
  'PM10-24h': scale(0, 50, 150, 250, 350, 420, 500, 600),
  'PM2,5-24h': scale(0, 25, 50, 80, 150, 250, 350, 500)
}

/** The last index of every scale that has all eight break points: `>= 1,200` and so on. */
export const AQI_MOST = 500

export interface Band {
  readonly id: string
  readonly name: string
  readonly nameEn: string
  readonly rgb: readonly [number, number, number]
  /** Least index of the band. */
  readonly from: number
}

export const AQI_BANDS: readonly Band[] = [
  { id: 'good', name: 'Tốt', nameEn: 'Good', rgb: [0, 228, 0], from: 0 },
  { id: 'moderate', name: 'Trung bình', nameEn: 'Moderate', rgb: [255, 255, 0], from: 51 },
  { id: 'poor', name: 'Kém', nameEn: 'Poor', rgb: [255, 126, 0], from: 101 },
  { id: 'bad', name: 'Xấu', nameEn: 'Bad', rgb: [255, 0, 0], from: 151 },
  { id: 'very-bad', name: 'Rất xấu', nameEn: 'Very bad', rgb: [143, 63, 151], from: 201 },
  { id: 'hazardous', name: 'Nguy hại', nameEn: 'Hazardous', rgb: [126, 0, 35], from: 301 }
]

export const bandIn = (bands: readonly Band[], index: number): Band | undefined => bands.findLast(({ from }) => index >= from)
