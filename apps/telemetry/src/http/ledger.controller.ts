import { Controller, Get, Headers, Inject, Query, Res } from '@nestjs/common'
import { ApiProduces } from '@nestjs/swagger'
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import { LEDGER } from '../wiring/tokens.js'
import { wantsCsv } from './csv.js'
import { Documented } from './documented.js'
import type { LedgerLines } from './ledger-lines.js'
import { LedgerList, LedgerQuery } from './ledger-schemas.js'
import { ledgerCsv, ledgerView } from './ledger-views.js'

@Controller('api/v1/ledger')
export class LedgerController {
  readonly #lines: LedgerLines

  constructor(@Inject(LEDGER) lines: LedgerLines) {
    this.#lines = lines
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
    const { lines, next } = await this.#lines.page(query)
    if (!wantsCsv(accept)) return { items: lines.map(ledgerView), next }
    if (next) reply.header('x-next', next)
    reply.header('content-type', 'text/csv; charset=utf-8; header=present')
    return ledgerCsv(lines)
  }
}
