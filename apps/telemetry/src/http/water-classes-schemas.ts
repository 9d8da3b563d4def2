import { z } from 'zod'
import { Instant, inOrder, span } from './schemas.js'

export const WaterClassesQuery = z.object(span).refine(...inOrder)

export const WaterClassView = z
  .object({
    start: Instant,
    end: Instant.meta({ description: 'Of the day' }),
    regulation: z.string(),
    title: z.string(),
    class: z.string().nullable().meta({ description: 'The worst of its parameters; null where none of the table’s was measured' }),
    deciding: z.array(z.string()).meta({ description: 'Parameters in that class' }),
    parameters: z.array(z.object({ parameter: z.string(), value: z.number(), unit: z.string(), class: z.string() })),
    missing: z.array(z.string()).meta({ description: 'Of the table, and not measured: the class says nothing of them' }),
    completeness: z.number().min(0).max(1).meta({ description: 'The least of the daily means used' })
  })
  .meta({
    id: 'WaterClass',
    description: 'Class of a river by its daily means (QCVN 08:2023, table 2): how good the water is, not a limit'
  })
export const WaterClassList = z.object({ items: z.array(WaterClassView) })
