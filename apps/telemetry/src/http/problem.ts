import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common'
import { Catch, HttpException } from '@nestjs/common'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { FastifyReply } from 'fastify'
import type { Millis } from '#libs/model'
import { codeOf, DAY, messageOf } from '#libs/model'
import type { Logger } from '#libs/platform'

/** Problem details of RFC 9457 with a `code` of the error catalogue, and the field where it was one. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly errors?: readonly { readonly field: string; readonly message: string }[]
  readonly [extra: string]: unknown
}

/** An answer that is not a success, with its status and code. */
export class HttpProblem extends HttpException {
  readonly problem: Problem

  constructor(status: number, code: string, detail: string, extra: Partial<Problem> = {}) {
    const problem: Problem = { type: `urn:quantrac:error:${code}`, title: TITLES[status] ?? 'Error', status, code, detail, ...extra }
    super(problem, status)
    this.problem = problem
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  406: 'Not Acceptable',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable'
}

const CODES: Readonly<Record<number, string>> = {
  404: 'QT_HTTP_NOT_FOUND',
  413: 'QT_HTTP_TOO_LARGE',
  415: 'QT_HTTP_MEDIA_TYPE'
}

/** Store and state, where they are servers of their own, can be away while everything else goes on. */
const AWAY = /^QT_(STORE|INFLUX|STATE)_/

export const invalidField = (field: string, message: string): HttpProblem =>
  new HttpProblem(400, 'QT_HTTP_INVALID', `${field}: ${message}`, { errors: [{ field, message }] })

/** For a text that no page has given out. */
export const notACursor = (): HttpProblem => invalidField('after', 'not a cursor of this list')

export const notFound = (what: string): HttpProblem => new HttpProblem(404, 'QT_HTTP_NOT_FOUND', `${what} is not known`)

/** A question about more time than one answer may cost. */
export const tooLong = (longest: Millis): HttpProblem => invalidField('from', `at most ${longest / DAY} days before to`)

/** The issues of a zod schema as one problem that names each field. */
export function invalidRequest(issues: readonly StandardSchemaV1.Issue[]): HttpProblem {
  const errors = issues.map(issue => ({ field: fieldOf(issue), message: issue.message }))
  return new HttpProblem(400, 'QT_HTTP_INVALID', errors.map(e => `${e.field}: ${e.message}`).join('; '), { errors })
}

const fieldOf = (issue: StandardSchemaV1.Issue): string =>
  (issue.path ?? []).map(segment => String(typeof segment === 'object' ? segment.key : segment)).join('.') || 'body'

/** Whatever is thrown becomes problem details; what nobody expected is logged and told without its insides. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>()
    const { problem } = this.#toProblem(error)
    if (reply.sent || reply.raw.headersSent) return
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="quantrac"')
    if (problem.status === 503) reply.header('retry-after', '5')
    reply.status(problem.status).header('content-type', 'application/problem+json; charset=utf-8').send(JSON.stringify(problem))
  }

  #toProblem(error: unknown): HttpProblem {
    if (error instanceof HttpProblem) return error
    if (codeOf(error) === 'QT_CURSOR_INVALID') return invalidRequest([{ path: ['after'], message: 'not a cursor of this list' }])
    if (codeOf(error) === 'QT_CORRECTION_TOO_WIDE') return new HttpProblem(422, 'QT_CORRECTION_TOO_WIDE', messageOf(error))
    if (codeOf(error).startsWith('QT_JOURNAL_')) return new HttpProblem(503, codeOf(error), messageOf(error))
    if (AWAY.test(codeOf(error))) {
      this.#log.warn({ code: codeOf(error) }, `request failed: ${messageOf(error)}`)
      return new HttpProblem(503, codeOf(error), 'what keeps this data does not answer now; ask again')
    }
    const status = statusOf(error)
    if (status < 500) return new HttpProblem(status, CODES[status] ?? 'QT_HTTP_INVALID', messageOf(error))
    this.#log.error({ code: codeOf(error), stack: error instanceof Error ? error.stack : undefined }, `request failed: ${messageOf(error)}`)
    return new HttpProblem(500, 'QT_UNEXPECTED', 'the server could not answer; its log says why')
  }
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus()
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500
}
