import { Controller, Get, Headers, Inject, Query, Res } from '@nestjs/common'
import { ApiProduces } from '@nestjs/swagger'
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import { LEDGER } from '../wiring/tokens.js'
import { asCsv, wantsCsv } from './csv.js'
import { Documented } from './documented.js'
import type { LedgerGaps } from './ledger-gaps.js'
import type { LedgerLines } from './ledger-lines.js'
import { GapList, GapsQuery, LedgerList, LedgerQuery } from './ledger-schemas.js'
import { gapsCsv, gapView, ledgerCsv, ledgerView } from './ledger-views.js'

export interface LedgerParts {
  readonly lines: LedgerLines
  readonly gaps: LedgerGaps
}

@Controller('api/v1/ledger')
export class LedgerController {
  readonly #parts: LedgerParts

  constructor(@Inject(LEDGER) parts: LedgerParts) {
    this.#parts = parts
  }

  @Get()
  @ApiProduces('application/json', 'text/csv')
  @Documented({
    right: 'read',
    summary: 'What came in and what became of it, by station and day of UTC+7: the columns balance; JSON or CSV by Accept',
    ok: LedgerList
  })
  async list(
    @Query({ schema: LedgerQuery }) query: z.infer<typeof LedgerQuery>,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply
  ) {
    const { lines, next } = await this.#parts.lines.page(query)
    return wantsCsv(accept) ? asCsv(reply, ledgerCsv(lines), next) : { items: lines.map(ledgerView), next }
  }

  @Get('gaps')
  @ApiProduces('application/json', 'text/csv')
  @Documented({
    right: 'read',
    summary: 'Where series have no reading for longer than 3 intervals, by day of UTC+7, and why; JSON or CSV by Accept',
    ok: GapList
  })
  async gaps(
    @Query({ schema: GapsQuery }) query: z.infer<typeof GapsQuery>,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply
  ) {
    const { gaps, next } = await this.#parts.gaps.page(query)
    return wantsCsv(accept) ? asCsv(reply, gapsCsv(gaps), next) : { items: gaps.map(gapView), next }
  }
}
