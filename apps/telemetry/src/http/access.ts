import type { CanActivate, ExecutionContext } from '@nestjs/common'
import { SetMetadata } from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import type { FastifyRequest } from 'fastify'
import type { TokenRole } from '#libs/pipeline'
import { HttpProblem } from './problem.js'

/** What a route asks of the caller. `open` is for probes and for the way to the documentation. */
export type Right = 'open' | 'metrics' | 'read' | 'acknowledge' | 'correct' | 'rules' | 'ingest'

const RIGHT = 'quantrac:right'

/** Every route names its right; one without is refused to everybody. */
export const Needs = (right: Right) => SetMetadata(RIGHT, right)

const GRANTED: Readonly<Record<TokenRole, readonly Right[]>> = {
  reader: ['read', 'metrics'],
  operator: ['read', 'metrics', 'acknowledge', 'correct', 'rules'],
  ingest: ['ingest']
}

export interface Caller {
  readonly name: string
  readonly role: TokenRole
}

type WithCaller = FastifyRequest & { caller?: Caller }

/** Who asks, once the guard has let them in; undefined on open routes. */
export const callerOf = (request: FastifyRequest): Caller | undefined => (request as WithCaller).caller

interface Access {
  readonly find: (token: string) => Promise<Caller | null>
  /** Reading without a token: only the demo on loopback, where all data are simulated. */
  readonly openReads: boolean
  /** Metrics without a token: while only this machine can ask. */
  readonly openMetrics: boolean
}

const BEARER = /^Bearer ([\x21-\x7e]{8,256})$/i

/** Lets a request in when its token's role grants what the route needs. */
export class AccessGuard implements CanActivate {
  readonly #access: Access
  readonly #reflector = new Reflector()

  constructor(access: Access) {
    this.#access = access
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const right = this.#reflector.get<Right | undefined>(RIGHT, context.getHandler())
    if (right === 'open') return true
    const request = context.switchToHttp().getRequest<WithCaller>()
    const header = request.headers.authorization
    if (header === undefined && this.#isOpen(right)) return true
    const token = BEARER.exec(header ?? '')?.[1]
    const caller = token === undefined ? null : await this.#access.find(token)
    if (!caller) throw new HttpProblem(401, 'QT_HTTP_UNAUTHORIZED', 'send a valid API token: Authorization: Bearer TOKEN')
    if (right === undefined || !GRANTED[caller.role].includes(right)) {
      throw new HttpProblem(403, 'QT_HTTP_FORBIDDEN', `a token of role ${caller.role} may not do this`)
    }
    request.caller = caller
    return true
  }

  #isOpen(right: Right | undefined): boolean {
    return (right === 'read' && this.#access.openReads) || (right === 'metrics' && this.#access.openMetrics)
  }
}
