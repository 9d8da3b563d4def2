import { Controller, Get, Inject, Query } from '@nestjs/common'
import type { z } from 'zod'
import { VIETNAM_OFFSET } from '#libs/model'
import { Documented } from './documented.js'
import { ZoneYears } from './zone-years.js'
import { ZoneIndicatorView, ZoneYearQuery } from './zones-schemas.js'

@Controller('api/v1/indicators')
export class ZonesController {
  readonly #years: ZoneYears

  constructor(@Inject(ZoneYears) years: ZoneYears) {
    this.#years = years
  }

  @Get('industrial-zones')
  @Documented({
    right: 'read',
    summary: 'Share of industrial zones whose effluent met the standard in a year, with its completeness and the stations behind it',
    ok: ZoneIndicatorView,
    problems: [400]
  })
  of(@Query({ schema: ZoneYearQuery }) { year }: z.infer<typeof ZoneYearQuery>) {
    return this.#years.of(year ?? new Date(Date.now() + VIETNAM_OFFSET).getUTCFullYear())
  }
}
