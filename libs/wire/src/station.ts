import { z } from 'zod'
import { STATION_CODE, STATION_KINDS } from '#libs/model'

/** The box in which the ministry's software accepts a station (regulations.md 1.6: 100–112 E, 7–24 N). */
const Position = z.strictObject({
  longitude: z.number().min(100).max(112),
  latitude: z.number().min(7).max(24)
})

/** One station of `registry/stations.yaml`. */
export const StationEntry = z
  .strictObject({
    code: z.string().regex(STATION_CODE, 'a station code has 2 to 48 capital letters, digits, _ and -'),
    name: z.string().min(1),
    nameEn: z.string().min(1).optional(),
    kind: z.enum(STATION_KINDS),
    /** A folder under `devices/`. */
    profile: z.string().min(1),
    zone: z.string().min(1),
    agency: z.string().min(1),
    position: Position,
    /** What this station measures of its profile; missing = everything. */
    parameters: z.array(z.string()).min(1).optional(),
    /** From when on a calibration is put before a person; what is missing is `CALIBRATION_TERMS`. */
    calibration: z
      .strictObject({
        nearMinutes: z.number().min(0).max(1_440).optional(),
        longestMinutes: z.number().gt(0).max(10_080).optional(),
        perDay: z.int().min(0).max(1_000).optional()
      })
      .optional(),
    /** True for stations that only show how a registry is written. */
    example: z.boolean().default(false)
  })
  .readonly()
export type StationEntry = z.infer<typeof StationEntry>

/** `registry/stations.yaml`. */
export const StationFile = z.strictObject({ stations: z.array(StationEntry).max(100_000) }).readonly()
export type StationFile = z.infer<typeof StationFile>
