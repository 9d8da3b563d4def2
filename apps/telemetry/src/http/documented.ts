import { applyDecorators } from '@nestjs/common'
import { ApiBearerAuth, ApiOperation, ApiResponse } from '@nestjs/swagger'
import type { z } from 'zod'
import type { Right } from './access.js'
import { Needs } from './access.js'
import { ProblemView } from './schemas.js'

interface Documentation {
  readonly right: Right
  readonly summary: string
  readonly ok: z.ZodType | null
  readonly status?: number
  readonly problems?: readonly number[]
}

/** A route's right and its place in the OpenAPI file, said once. */
export function Documented({ right, summary, ok, status = 200, problems = [400] }: Documentation) {
  const failing = right === 'open' ? [...problems] : [...problems, 401, 403]
  const answers = failing.map(code => ApiResponse({ status: code, description: 'Problem details', standardSchema: ProblemView }))
  const success = ok ? ApiResponse({ status, description: 'OK', standardSchema: ok }) : ApiResponse({ status, description: 'OK' })
  const bearer = right === 'open' ? [] : [ApiBearerAuth()]
  return applyDecorators(Needs(right), ApiOperation({ summary }), success, ...answers, ...bearer)
}
