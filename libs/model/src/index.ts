export { codeOf, messageOf } from './coded.js'
export { fingerprintOf } from './fingerprint.js'
export type { Millis } from './instant.js'
export {
  CLOCK_TOLERANCE,
  DAY,
  DURATION,
  durationOf,
  EARLIEST,
  formatInstant,
  HOUR,
  LATEST,
  MINUTE,
  parseDayOrInstant,
  parseInstant,
  SECOND,
  VIETNAM_OFFSET
} from './instant.js'
export type { Limit, LimitTerms } from './limit.js'
export { bandOf, heldBy, isValidAt, isWorse, limitOf, nearestLimit, valueIn } from './limit.js'
export type { Parameter } from './parameter.js'
export { findParameter, PARAMETERS } from './parameter.js'
export type { Flag, FlagReason, Reading, Road, SensorStatus, SeriesKey } from './reading.js'
export { CALIBRATING, DEVICE_FAULT, FLAG_REASONS, isUsable, MEASURING, seriesId } from './reading.js'
export type { CalibrationTerms, Position, Station, StationKind, StationState } from './station.js'
export { CALIBRATION_TERMS, calibrationTermsOf, STATION_CODE, STATION_KINDS } from './station.js'
export { canonicalUnit, convert, UNITS } from './unit.js'
export type { Judged, Judgement, Verdict } from './verdict.js'
export { judge, verdictOf, verdictOfBand } from './verdict.js'
