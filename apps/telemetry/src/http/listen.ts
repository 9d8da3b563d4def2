import { StandardSchemaValidationPipe } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import type { FastifyInstance } from 'fastify'
import { codeOf } from '#libs/model'
import { CodedError } from '#libs/platform'
import { AppModule } from '../wiring/app-module.js'
import type { Parts } from '../wiring/parts.js'
import { NestLog } from './nest-log.js'
import { HttpProblem, invalidRequest, ProblemFilter } from './problem.js'
import { listenSecurely } from './secure-listener.js'

/** As on MQTT (design, section 6). */
const MAX_BODY_BYTES = 256 * 1_024
const REQUEST_TIMEOUT_MS = 30_000
const READINGS_ROUTE = '/api/v1/readings/'

export interface HttpSide {
  /** Where a person looks: plain HTTP where it is on, else HTTPS. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Starts the HTTP side: one application, behind a plain listener, an encrypted one, or both.
 * @throws CodedError QT_HTTP_PORT_IN_USE, QT_HTTP_CANNOT_LISTEN
 */
export async function listen(parts: Parts): Promise<HttpSide> {
  const adapter = new FastifyAdapter({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: 200 }
  })
  parseBodies(adapter.getInstance())
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.of(parts), adapter, {
    logger: new NestLog(parts.log),
    bodyParser: false,
    abortOnError: false,
    forceCloseConnections: true
  })
  app.useGlobalPipes(new StandardSchemaValidationPipe({ exceptionFactory: invalidRequest }))
  app.useGlobalFilters(new ProblemFilter(parts.log))
  document(app)
  try {
    return await openListeners(app, parts)
  } catch (error) {
    await app.close()
    throw error
  }
}

async function openListeners(app: NestFastifyApplication, { config, certificates }: Parts): Promise<HttpSide> {
  const { host, port, tlsPort } = config.http
  const fastify = app.getHttpAdapter().getInstance()
  await app.init()
  await fastify.ready()
  const secure =
    certificates && tlsPort !== null
      ? await listenSecurely({
          host,
          port: tlsPort,
          certificates,
          requestTimeoutMs: REQUEST_TIMEOUT_MS,
          onRequest: (request, response) => fastify.routing(request, response),
          onClientError: (error, socket) => void fastify.server.emit('clientError', error, socket)
        }).catch((error: unknown) => {
          throw listenError(error, { host, port: tlsPort, what: 'HTTPS' })
        })
      : null
  const close = async (): Promise<void> => {
    await secure?.close()
    await app.close()
  }
  if (port === null) return { url: `https://${hostInUrl(host)}:${secure?.port}`, close }
  try {
    await app.listen(port, host)
  } catch (error) {
    await secure?.close()
    throw listenError(error, { host, port, what: 'HTTP' })
  }
  return { url: await app.getUrl(), close }
}

const hostInUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** Readings keep their bytes (they are evidence, also where they are no JSON); everything else is parsed JSON. */
function parseBodies(fastify: FastifyInstance): void {
  // Fastify would also read text/plain by itself; nothing here is sent as that.
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (request.url.startsWith(READINGS_ROUTE)) {
      done(null, body)
      return
    }
    try {
      done(null, body.length === 0 ? {} : JSON.parse(body.toString()))
    } catch {
      done(new HttpProblem(400, 'QT_HTTP_INVALID', 'body: not JSON', { errors: [{ field: 'body', message: 'not JSON' }] }))
    }
  })
}

function document(app: NestFastifyApplication): void {
  const description =
    'Readings, alarms and refusals of a province’s stations. Instants are RFC 3339 in UTC+7. A verdict is an indicator for review, never a finding of violation.'
  const config = new DocumentBuilder().setTitle('quantrac').setDescription(description).setVersion('1').addBearerAuth().build()
  SwaggerModule.setup('api/docs', app, () => SwaggerModule.createDocument(app, config), { jsonDocumentUrl: 'api/openapi.json' })
}

interface Tried {
  readonly host: string
  readonly port: number
  readonly what: 'HTTP' | 'HTTPS'
}

function listenError(error: unknown, { host, port, what }: Tried): Error {
  const setting = `QUANTRAC_${what}_PORT`
  if (codeOf(error) === 'EADDRINUSE') {
    return new CodedError('QT_HTTP_PORT_IN_USE', `${what} port ${port} on ${host} is in use: stop the other program or set ${setting}`)
  }
  if (codeOf(error) === 'EACCES' || codeOf(error) === 'EADDRNOTAVAIL') {
    return new CodedError('QT_HTTP_CANNOT_LISTEN', `${what} cannot listen on ${host}:${port}: set QUANTRAC_HTTP_HOST and ${setting}`)
  }
  return error as Error
}
