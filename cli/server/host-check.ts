import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { MiddlewareHandler } from 'hono'
import { HttpError } from '#functions/api/errors.ts'

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])
const everywhere = new Set(['0.0.0.0', '::'])

/** The host of a `Host` header without its port, lower case. */
const nameOf = (header: string): string => header.toLowerCase().replace(/:\d+$/, '')

/** Which names the server answers to: loopback, the one it listens on, and on all interfaces any address of them. */
const answersTo = (name: string, listenHost: string): boolean =>
  loopback.has(name) ||
  name === listenHost.toLowerCase() ||
  (everywhere.has(listenHost) && (isIP(name.replaceAll(/[[\]]/g, '')) !== 0 || name === hostname().toLowerCase()))

const sameOrigin = (origin: string, host: string): boolean => {
  try {
    return new URL(origin).host.toLowerCase() === host.toLowerCase()
  } catch {
    return false
  }
}

/**
 * Refuses requests that a web page of another site could have made: a `Host` that is not ours (DNS rebinding), an
 * `Origin` that is not this server's own.
 */
export const hostCheck =
  (listenHost: string): MiddlewareHandler =>
  async (c, next) => {
    checkHost(listenHost, c.req.header('host'), c.req.header('origin'))
    await next()
  }

/** The same for a request that is no HTTP request of the app. */
export const checkHost = (listenHost: string, host = '', origin?: string): void => {
  if (!answersTo(nameOf(host), listenHost))
    throw new HttpError('WRONG_HOST', `this server does not answer to the host ${host || '(none)'}`)
  if (origin !== undefined && !sameOrigin(origin, host))
    throw new HttpError('WRONG_ORIGIN', `requests from the web origin ${origin} are not accepted`)
}
