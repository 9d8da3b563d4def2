import { z } from 'zod'
import { Instant, inOrder, span } from './schemas.js'

const INDICES = ['aqi-hourly', 'aqi-daily', 'wqi'] as const

export const IndicesQuery = z.object({ index: z.enum(INDICES), ...span }).refine(...inOrder)

export const IndexView = z
  .object({
    index: z.enum(INDICES),
    start: Instant,
    end: Instant,
    value: z.number().int().nullable().meta({ description: 'null: `gap` and the gaps of the parts say why' }),
    band: z.object({ id: z.string(), name: z.string(), nameEn: z.string(), rgb: z.array(z.number().int()) }).nullable(),
    deciding: z.string().nullable().meta({ description: 'the parameter with the highest sub-index' }),
    parts: z.array(
      z.object({
        parameter: z.string(),
        scale: z.string(),
        input: z.number().nullable().meta({ description: 'in the canonical unit: mean, Nowcast or value that the scale was asked' }),
        index: z.number().nullable(),
        gap: z.string().nullable()
      })
    ),
    gap: z.string().nullable(),
    source: z.string(),
    revisions: z.record(z.string(), z.number().int()).meta({ description: 'of the published hourly means inside, by parameter' })
  })
  .meta({ id: 'EnvironmentalIndex', description: 'VN_AQI or VN_WQI with everything that it rests on' })
export const IndexList = z.object({ items: z.array(IndexView) })
