/** A measured quantity, by its symbol. Symbols of Circular 10/2021, appendix 15 table 34, are kept as written there (regulations.md 1.4). */
export interface Parameter {
  readonly code: string
  readonly name: string // Vietnamese
  readonly nameEn: string
  /** Canonical unit; a key of UNITS. */
  readonly unit: string
  /** What can physically be: outside it a value is wrong whatever the sensor says. In `unit`, both ends included. */
  readonly possible: { readonly min: number; readonly max: number }
  /** A direction: 359 and 1 degrees are neighbours, and its mean is that of directions. */
  readonly circular: boolean
}

/** Symbol, name, English name, unit, least, most. */
type Row = readonly [code: string, name: string, nameEn: string, unit: string, min: number, max: number]

const ROWS: readonly Row[] = [
  ['Flow', 'Lưu lượng', 'Flow', 'm3/h', -1e8, 1e8],
  ['Temp', 'Nhiệt độ', 'Temperature', 'oC', -5, 100],
  ['Color', 'Độ màu', 'Colour', 'Pt-Co', 0, 100_000],
  ['pH', 'pH', 'pH', '-', 0, 14],
  ['TSS', 'Tổng chất rắn lơ lửng', 'Total suspended solids', 'mg/L', 0, 1e6],
  ['COD', 'Nhu cầu oxy hóa học', 'Chemical oxygen demand', 'mg/L', 0, 1e6],
  ['BOD5', 'Nhu cầu oxy sinh hóa', 'Biochemical oxygen demand', 'mg/L', 0, 1e6],
  ['NH4', 'Amoni (tính theo N)', 'Ammonium as N', 'mg/L', 0, 1e5],
  ['TN', 'Tổng nitơ', 'Total nitrogen', 'mg/L', 0, 1e5],
  ['TP', 'Tổng phốt pho', 'Total phosphorus', 'mg/L', 0, 1e5],
  ['TOC', 'Tổng cacbon hữu cơ', 'Total organic carbon', 'mg/L', 0, 1e6],
  ['Cl', 'Clo dư', 'Residual chlorine', 'mg/L', 0, 1e4],
  ['DO', 'Oxy hòa tan', 'Dissolved oxygen', 'mg/L', 0, 40],
  ['NH3', 'Amoniac', 'Un-ionised ammonia', 'mg/L', 0, 1e4],
  ['WaterLevel', 'Mực nước', 'Water level', 'm', -20, 100],
  ['Rain', 'Lượng mưa', 'Rainfall', 'mm', 0, 500],
  ['EC', 'Độ dẫn điện', 'Electrical conductivity', 'mS/cm', 0, 200],
  ['Salinity', 'Độ mặn', 'Salinity', 'g/L', 0, 60],
  ['SoilMoisture', 'Độ ẩm đất', 'Soil moisture', '%', 0, 100],
  ['WaterDepth', 'Mực nước ruộng', 'Water depth on field', 'cm', -200, 500],
  // The comma is the symbol's own; profiles list `PM2.5` and `PM25` as aliases.
  ['PM2,5', 'Bụi mịn PM2,5', 'Fine dust PM2.5', 'ug/m3', 0, 10_000],
  ['PM10', 'Bụi PM10', 'Dust PM10', 'ug/m3', 0, 10_000],
  ['RH', 'Độ ẩm không khí', 'Relative humidity', '%', 0, 100],
  ['WindSpeed', 'Tốc độ gió', 'Wind speed', 'm/s', 0, 120],
  // From where it blows, clockwise from north.
  ['WindDirection', 'Hướng gió', 'Wind direction', 'deg', 0, 360],
  ['Displacement', 'Độ dịch chuyển', 'Displacement', 'mm', -100_000, 100_000],
  ['Tilt', 'Độ nghiêng', 'Tilt', 'deg', -90, 90],
  ['PorePressure', 'Áp lực nước lỗ rỗng', 'Pore water pressure', 'kPa', -100, 10_000],
  // What the tables of the standards name beside what stations measure today.
  ['TSP', 'Tổng bụi lơ lửng', 'Total suspended particles', 'ug/m3', 0, 100_000],
  ['As', 'Asen', 'Arsenic', 'mg/L', 0, 1e4],
  ['Hg', 'Thủy ngân', 'Mercury', 'mg/L', 0, 1e4],
  ['Pb', 'Chì', 'Lead', 'mg/L', 0, 1e4],
  ['Cd', 'Cadimi', 'Cadmium', 'mg/L', 0, 1e4],
  ['Cr', 'Tổng crom', 'Total chromium', 'mg/L', 0, 1e4],
  ['Cr6', 'Crom (VI)', 'Chromium (VI)', 'mg/L', 0, 1e4],
  ['Cr3', 'Crom (III)', 'Chromium (III)', 'mg/L', 0, 1e4],
  ['Cu', 'Đồng', 'Copper', 'mg/L', 0, 1e4],
  ['Zn', 'Kẽm', 'Zinc', 'mg/L', 0, 1e4],
  ['Ni', 'Niken', 'Nickel', 'mg/L', 0, 1e4],
  ['Mn', 'Mangan', 'Manganese', 'mg/L', 0, 1e4],
  ['Fe', 'Sắt', 'Iron', 'mg/L', 0, 1e4],
  ['CN', 'Tổng xianua', 'Total cyanide', 'mg/L', 0, 1e4],
  ['Phenol', 'Tổng phenol', 'Total phenol', 'mg/L', 0, 1e4],
  ['Oil', 'Tổng dầu mỡ khoáng', 'Mineral oil', 'mg/L', 0, 1e5],
  ['Sulfide', 'Sunfua', 'Sulfide', 'mg/L', 0, 1e4],
  ['F', 'Florua', 'Fluoride', 'mg/L', 0, 1e4],
  ['Chloride', 'Clorua', 'Chloride', 'mg/L', 0, 300_000],
  ['OrganochlorinePesticides', 'Hóa chất bảo vệ thực vật clo hữu cơ', 'Organochlorine pesticides', 'mg/L', 0, 1e4],
  ['OrganophosphorusPesticides', 'Hóa chất bảo vệ thực vật phốt pho hữu cơ', 'Organophosphorus pesticides', 'mg/L', 0, 1e4],
  ['PCB', 'Tổng PCB', 'Polychlorinated biphenyls', 'mg/L', 0, 1e4],
  ['FaecalColiform', 'Coliform chịu nhiệt', 'Faecal coliform', 'MPN/100mL', 0, 1e9],
  ['Coliform', 'Tổng coliform', 'Total coliform', 'MPN/100mL', 0, 1e9],
  ['GrossAlpha', 'Tổng hoạt độ phóng xạ alpha', 'Gross alpha activity', 'Bq/L', 0, 1e6],
  ['GrossBeta', 'Tổng hoạt độ phóng xạ beta', 'Gross beta activity', 'Bq/L', 0, 1e6],
  ['SO2', 'Lưu huỳnh đioxit', 'Sulphur dioxide', 'ug/m3', 0, 100_000],
  ['CO', 'Cacbon monoxit', 'Carbon monoxide', 'ug/m3', 0, 1e6],
  ['NO2', 'Nitơ đioxit', 'Nitrogen dioxide', 'ug/m3', 0, 100_000],
  ['O3', 'Ozon', 'Ozone', 'ug/m3', 0, 100_000],
  ['NO2-N', 'Nitrit (tính theo N)', 'Nitrite as N', 'mg/L', 0, 1e4],
  ['NO3-N', 'Nitrat (tính theo N)', 'Nitrate as N', 'mg/L', 0, 1e5],
  ['PO4-P', 'Phosphat (tính theo P)', 'Phosphate as P', 'mg/L', 0, 1e4]
]

const CIRCULAR: ReadonlySet<string> = new Set(['WindDirection'])

/** Every parameter that the product knows. Ranges are physical plausibility, not law and not a sensor's span. */
export const PARAMETERS: readonly Parameter[] = ROWS.map(([code, name, nameEn, unit, min, max]) => ({
  code,
  name,
  nameEn,
  unit,
  possible: { min, max },
  circular: CIRCULAR.has(code)
}))

const byCode = new Map(PARAMETERS.map(p => [p.code, p]))

/** The parameter of a symbol exactly as written, or undefined. */
export const findParameter = (code: string): Parameter | undefined => byCode.get(code)
