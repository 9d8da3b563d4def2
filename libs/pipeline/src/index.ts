export type { Aggregate, Part, Period, Summary } from '#libs/aggregates'
export { ALGORITHM } from '#libs/aggregates'
export type { Change, Command, Correction, CorrectionEvent, CorrectionState, Person, Proposal, RefusalCode, Span } from '#libs/corrections'
export { decide, problemOfPerson, problemOfProposal, spanOf } from '#libs/corrections'
export type { Principal, TokenRole } from './access.js'
export { mayPublish, maySubscribe, TOKEN_ROLES, TOKEN_USER } from './access.js'
export type { Affected, AffectedSeries } from './affected-series.js'
export { affectedSeries } from './affected-series.js'
export { AggregateConsumer, GRACE } from './aggregate-consumer.js'
export type { AggregateLog, AggregateQuery, DueQuery, Published, SeriesTerms, TermsOf, WindowKey, WindowMark } from './aggregate-ports.js'
export { seriesTerms } from './aggregate-terms.js'
export { Aggregator } from './aggregator.js'
export { AlarmConsumer } from './alarm-consumer.js'
export type { AskedWindow } from './asked-aggregates.js'
export { AggregatesAsked } from './asked-aggregates.js'
export type { Asked, AskedReadings, CorrectionSource } from './asked-readings.js'
export { ReadingsAsked, TooWideError } from './asked-readings.js'
export { BoundedSource } from './bounded-source.js'
export type { ReviewedCalibration } from './calibration-reviews.js'
export { CalibrationReviews } from './calibration-reviews.js'
export type { Consumer, ConsumerPosition } from './consumer-runner.js'
export { ConsumerRunner } from './consumer-runner.js'
export type { DayDigest } from './digest.js'
export { digestOf } from './digest.js'
export type { Explained } from './explanation.js'
export { explainAt, explainValue } from './explanation.js'
export type { FlaggedReading } from './flagged-readings.js'
export { FlaggedReadings } from './flagged-readings.js'
export type {
  ComparisonOrder,
  ComparisonResult,
  ForwardBatch,
  ForwardBook,
  ForwardDay,
  ForwardItem,
  ForwardOutcome,
  ForwardSelection
} from './forward-ports.js'
export type { ForwardReport } from './forwarder.js'
export { Forwarder } from './forwarder.js'
export type { Inbound, IngestPorts, Receipt, Subject } from './ingest.js'
export { ingest } from './ingest.js'
export type { RecordBatch, SequencedRecord } from './journal-source.js'
export { JournalSource } from './journal-source.js'
export type { LawChangeEntry, LawDraft, LawKind, LoadedLaw, Proposed, ProposedLaw } from './law-changes.js'
export { changesOf, keyOf, LAW_KINDS, propose, withLoaded } from './law-changes.js'
export type { LawLog, Preview } from './law-desk.js'
export { LawDesk, LawFollower, StandardsError, standardsAt, standardsNow } from './law-desk.js'
export { LedgerConsumer } from './ledger-consumer.js'
export { dayOf, GAP_INTERVALS } from './ledger-days.js'
export type { Evidence, Gap, GapCause, GapPart } from './ledger-gaps.js'
export { downtimes, GAP_CAUSES, gapsOf } from './ledger-gaps.js'
export type { LedgerLine, MeasuredLine } from './ledger-line.js'
export { expectedReadings, ledgerLine } from './ledger-line.js'
export { OutcomeKeeper } from './ledger-outcomes.js'
export type { LedgerAccount, LedgerBook, OfflineSpan, OutcomeDay, ReceiptDay, SeriesDay, StationDay } from './ledger-ports.js'
export { ReceiptKeeper } from './ledger-receipts.js'
export type { Spans } from './ledger-spans.js'
export { parseSpans, spansText, unite } from './ledger-spans.js'
export type { Listener, LiveReadings } from './live.js'
export { Live } from './live.js'
export { NewestReadings } from './newest-readings.js'
export { OutboxDelivery } from './outbox-delivery.js'
export type {
  Alarm,
  AlarmKind,
  AlarmLog,
  AlarmState,
  AlarmTransition,
  Clock,
  Conflict,
  Delivery,
  Log,
  Notifier,
  Outbox,
  OutboxMessage,
  RangeQuery,
  ReadingFate,
  StoredReading,
  TimeSeriesStore,
  TransitionKind,
  WriteOutcome
} from './ports.js'
export type { RecomputeProgress, RecomputeQuery } from './recompute.js'
export { daysOf, markAnew, recompute } from './recompute.js'
export type { Refusal, RefusalLog } from './refusal-consumer.js'
export { RefusalConsumer } from './refusal-consumer.js'
export type { Rejudged, Rejudgement } from './rejudge.js'
export { markChanged, rejudge } from './rejudge.js'
export type { LimitSource, ReadStandards, StandardsSources, StandardVerdict } from './standards.js'
export { questionOf, readStandards, Standards } from './standards.js'
export type { Ruling, Standing } from './standing.js'
export { ruleOn, saysTheSame } from './standing.js'
export { StatusIntervals } from './status-intervals.js'
export { StoreConsumer } from './store-consumer.js'
export type { CopyProgress, CopyReport, WholeStore } from './store-copy.js'
export { copyStore, StoreCopyError } from './store-copy.js'
export type { DigestQuery, ItemAnswer, SinkAnswer, WarehouseDigest, WarehouseSink } from './warehouse.js'
export { warehouseKey } from './warehouse.js'
export type { DigestDifference } from './warehouse-checksum.js'
export { digestDifferences, WarehouseDigests, warehouseChecksum, warehouseDate, warehouseText } from './warehouse-checksum.js'
