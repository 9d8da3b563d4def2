import { Controller, Get, Inject, Query } from '@nestjs/common'
import type { z } from 'zod'
import type { State } from '#libs/adapters/state'
import { STATE } from '../wiring/tokens.js'
import { Documented } from './documented.js'
import { given, RefusalList, RefusalsQuery } from './schemas.js'
import { refusalView } from './views.js'

@Controller('api/v1/refusals')
export class RefusalsController {
  readonly #state: State

  constructor(@Inject(STATE) state: State) {
    this.#state = state
  }

  @Get()
  @Documented({ right: 'read', summary: 'What was refused and why, newest first, with the first bytes of what came in', ok: RefusalList })
  async list(@Query({ schema: RefusalsQuery }) query: z.infer<typeof RefusalsQuery>) {
    const { items, next } = await this.#state.refusals.list(given(query))
    return { items: items.map(refusalView), next }
  }
}
