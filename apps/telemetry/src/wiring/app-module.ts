import type { DynamicModule } from '@nestjs/common'
import { Module } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { ScheduleModule } from '@nestjs/schedule'
import { CalibrationReviews, StatusIntervals } from '#libs/pipeline'
import { isLoopback } from '#libs/platform'
import { AccessGuard } from '../http/access.js'
import { AlarmsController } from '../http/alarms.controller.js'
import { AskedViews } from '../http/asked-views.js'
import { CalibrationsController } from '../http/calibrations.controller.js'
import { CorrectionsController } from '../http/corrections.controller.js'
import { HealthController } from '../http/health.controller.js'
import { IndicesController } from '../http/indices.controller.js'
import { IndexViews } from '../http/indices-views.js'
import { LawController, LawParts } from '../http/law.controller.js'
import type { LedgerParts } from '../http/ledger.controller.js'
import { LedgerController } from '../http/ledger.controller.js'
import { LedgerGaps } from '../http/ledger-gaps.js'
import { LedgerLines } from '../http/ledger-lines.js'
import { QualityController } from '../http/quality.controller.js'
import { readingsIn } from '../http/quality-counts.js'
import { QualityDays } from '../http/quality-days.js'
import { QualityLost } from '../http/quality-lost.js'
import { ReadingsController } from '../http/readings.controller.js'
import { RefusalsController } from '../http/refusals.controller.js'
import { SeriesController } from '../http/series.controller.js'
import { StationViews } from '../http/station-views.js'
import { StationsController } from '../http/stations.controller.js'
import { StatusIntervalsController } from '../http/status-intervals.controller.js'
import { StreamController } from '../http/stream.controller.js'
import { WaterClassesController } from '../http/water-classes.controller.js'
import { WaterClasses } from '../http/water-classes.js'
import { ZoneYears } from '../http/zone-years.js'
import { ZonesController } from '../http/zones.controller.js'
import { Housekeeping } from '../schedules/housekeeping.js'
import { CalibrationWatch } from './calibration-watch.js'
import { LawInForce } from './law.js'
import type { Parts } from './parts.js'
import { ALARM_EVENTS, HEALTH, INGEST, LEDGER, LIVE, METRICS, STATE, STATIONS, STORE } from './tokens.js'

/** Nest's view of the running parts: values and factories of plain classes, nothing is opened here. */
@Module({})
export class AppModule {
  static of(parts: Parts): DynamicModule {
    const { stations, store, newest, state, states, config } = parts
    const loopback = isLoopback(config.http.host)
    const access = {
      find: (token: string) => state.tokens.find(token),
      openReads: loopback && config.demo,
      openMetrics: loopback
    }
    return {
      module: AppModule,
      imports: [ScheduleModule.forRoot()],
      controllers: [
        HealthController,
        StationsController,
        SeriesController,
        CorrectionsController,
        LawController,
        CalibrationsController,
        IndicesController,
        WaterClassesController,
        StatusIntervalsController,
        ReadingsController,
        AlarmsController,
        RefusalsController,
        LedgerController,
        QualityController,
        ZonesController,
        StreamController
      ],
      providers: [
        { provide: STATIONS, useValue: stations },
        { provide: STORE, useValue: store },
        { provide: STATE, useValue: state },
        { provide: LIVE, useValue: parts.live },
        { provide: METRICS, useValue: parts.metrics },
        { provide: HEALTH, useValue: parts.health },
        { provide: INGEST, useValue: parts.ingest },
        { provide: LEDGER, useValue: ledgerParts(parts) },
        ...qualityProviders(parts),
        { provide: ALARM_EVENTS, useValue: parts.alarmEvents },
        { provide: LawInForce, useValue: parts.law },
        { provide: IndexViews, useValue: new IndexViews(state.aggregates) },
        { provide: WaterClasses, useValue: new WaterClasses({ aggregates: state.aggregates, standards: parts.standards }) },
        { provide: CalibrationReviews, useValue: parts.calibrations },
        { provide: CalibrationWatch, useValue: parts.calibrationWatch },
        { provide: LawParts, useValue: lawParts(parts) },
        { provide: AskedViews, useValue: parts.askedViews },
        { provide: StatusIntervals, useValue: parts.statusIntervals },
        { provide: StationViews, useValue: new StationViews({ stations, states, newest }) },
        { provide: Housekeeping, useFactory: () => new Housekeeping(parts) },
        { provide: APP_GUARD, useValue: new AccessGuard(access) }
      ]
    }
  }
}

const lawParts = ({ standards, explain }: Parts): LawParts => new LawParts(standards, explain, Date.now)

function ledgerParts({ state, stations }: Parts): LedgerParts {
  const sources = { pages: state.ledger, forwarding: state.forwarding, uptime: state.uptime, stations, clock: Date.now }
  return { lines: new LedgerLines(sources), gaps: new LedgerGaps(sources) }
}

function qualityProviders({ state, stations, flagged, standards }: Parts) {
  const { dqi: settings, zones } = stations.scores
  const sources = { stations, pages: state.ledger, readingsOf: readingsIn(flagged), settings, clock: Date.now }
  const { aggregates } = state
  return [
    { provide: ZoneYears, useValue: new ZoneYears({ stations, aggregates, standards, settings: zones, clock: Date.now }) },
    { provide: QualityDays, useValue: new QualityDays(sources) },
    { provide: QualityLost, useValue: new QualityLost(sources, state.refusals) }
  ]
}
