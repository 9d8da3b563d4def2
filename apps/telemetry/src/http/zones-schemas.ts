import { z } from 'zod'

const FIRST_YEAR = 2000
const LAST_YEAR = 2100

export const ZoneYearQuery = z.object({
  year: z.coerce.number().int().min(FIRST_YEAR).max(LAST_YEAR).optional().meta({ description: 'Of UTC+7; unless told the one that runs' })
})

const Count = z.number().int().min(0)
const Share = z.number().min(0).max(1)
const State = z.enum(['met', 'not-met', 'not-assessable'])
const Gap = z
  .enum(['no-station', 'no-day-yet', 'no-limit', 'incomplete', 'exceeds-incomplete'])
  .nullable()
  .meta({ description: 'Why it could not be judged' })

export const ZoneIndicatorView = z
  .object({
    year: z.number().int(),
    met: Count,
    notMet: Count,
    notAssessable: Count,
    share: Share.nullable().meta({ description: 'Of the zones that could be judged, those that met the standard' }),
    completeness: Share.nullable().meta({ description: 'Zones that could be judged, of all: what the share rests on' }),
    atLeast: Share.nullable().meta({ description: 'Of all zones, those that met it: what the share is at least' }),
    zones: z.array(
      z.object({
        zone: z.string(),
        state: State,
        gap: Gap,
        stations: z.array(
          z.object({
            station: z.string(),
            state: State,
            gap: Gap,
            daysExpected: Count.meta({ description: 'Days of the year that are over' }),
            daysEvaluated: Count.meta({ description: 'Of those: judged, on enough readings' }),
            daysExceeding: Count,
            daysWithoutLimit: Count,
            daysExceedingIncomplete: Count.meta({ description: 'Above a limit, on too few readings to count' }),
            completeness: Share
          })
        )
      })
    )
  })
  .meta({
    id: 'ZoneIndicator',
    description:
      'Share of industrial zones whose effluent met the standard in a year (provincial plan, annex I, B15): an indicator for review'
  })
