import { type ClientRequest, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import {
  type EgressAllowance,
  isAllowedByName,
  isReachable,
  notPublic,
  parseTarget,
  type Target,
} from './egress-target.ts'
import type { Egress, EgressAnswer, EgressRequest } from './platform.ts'
import { PlatformError } from './platform-error.ts'
import { type Resolve, resolveByDns, resolveBySystem } from './resolve-name.ts'

/** `resolve` is for the names that tenants choose, `resolveAllowed` for those that this host's settings name. */
type Options = { allow?: EgressAllowance; resolve?: Resolve; resolveAllowed?: Resolve }

const maxAnswerBytes = 64 * 1024
/** So long a caller waits for the look at a name; one that takes longer is looked at when it is called. */
const lookMs = 5000

const refuse = (url: string, problem: string): PlatformError =>
  new PlatformError('INVALID', `${url} cannot be called: ${problem}`)

/** Calls to other systems; for every host. */
export const createEgress = ({
  allow = [],
  resolve = resolveByDns(),
  resolveAllowed = resolveBySystem(),
}: Options = {}): Egress => {
  /** The addresses to connect to. Every one that the name has must be allowed: which is used is not the caller's choice. */
  const addressesOf = async (target: Target, signal: AbortSignal): Promise<string[]> => {
    if (isIP(target.hostname) !== 0) return [target.hostname]
    const ask = isAllowedByName(allow, target) ? resolveAllowed : resolve
    const addresses = await ask(target.hostname, signal)
    const bad = addresses.find((address) => !isReachable(allow, target, address))
    if (bad !== undefined) throw refuse(target.url.href, notPublic(`${target.hostname} (${bad})`))
    if (addresses.length === 0) throw new PlatformError('UNAVAILABLE', `${target.hostname} has no address`)
    return addresses
  }
  const targetOf = (url: string): Target => {
    const target = parseTarget(url, allow)
    if ('problem' in target) throw refuse(url, target.problem)
    return target
  }

  return {
    async problem(url) {
      try {
        const target = targetOf(url)
        await within(lookMs, (signal) => addressesOf(target, signal))
        return undefined
      } catch (error) {
        return error instanceof PlatformError && error.code === 'INVALID' ? error.message : undefined
      }
    },
    async post(request) {
      const target = targetOf(request.url)
      const begun = performance.now()
      const look = within(request.timeoutMs, (signal) => addressesOf(target, signal))
      const addresses = await look.catch((error: unknown) => {
        throw error instanceof PlatformError ? error : unavailable(request.url, error)
      })
      const timeoutMs = Math.max(1, Math.ceil(request.timeoutMs - (performance.now() - begun)))
      return send(target, addresses, { ...request, timeoutMs })
    },
  }
}

/** Not every resolver can be broken off; one that cannot is left alone. */
const within = async <T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>()
  const controller = new AbortController()
  const timer = setTimeout(() => {
    reject(new Error(`its name did not resolve within ${Math.round(ms)} ms`))
    controller.abort()
  }, ms)
  try {
    return await Promise.race([work(controller.signal), promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Several addresses that were tried in vain are an error without a message. */
const told = ({ message, code }: NodeJS.ErrnoException): string | undefined => message || code

const unavailable = (url: string, cause: unknown): PlatformError =>
  new PlatformError('UNAVAILABLE', `${url} did not answer: ${told(cause as NodeJS.ErrnoException)}`, { cause })

const send = ({ url, hostname }: Target, addresses: string[], request: EgressRequest): Promise<EgressAnswer> =>
  new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => reject(unavailable(request.url, cause))
    const options: RequestOptions = {
      method: 'POST',
      headers: { ...request.headers, 'content-length': String(Buffer.byteLength(request.body)) },
      lookup: pinned(addresses),
      agent: false,
      signal: AbortSignal.timeout(request.timeoutMs),
    }
    const begin = url.protocol === 'https:' ? requestHttps : requestHttp
    const sent: ClientRequest = begin(url, { ...options, ...(isIP(hostname) === 0 && { servername: hostname }) })
    sent.once('error', fail)
    sent.once('response', (response: IncomingMessage) => {
      readBeginning(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), fail)
    })
    sent.end(request.body)
  })

/** Whatever the name resolves to by now: only addresses that were checked are connected to. */
const pinned = (addresses: string[]): NonNullable<RequestOptions['lookup']> => {
  const list = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_hostname, { all }, answer) => {
    const [first] = list
    if (all) answer(null, list)
    else answer(null, first?.address ?? '', first?.family)
  }
}

const readBeginning = async (response: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part)
    size += part.byteLength
    if (size >= maxAnswerBytes) break // the rest is not read: leaving the loop ends the connection
  }
  return Buffer.concat(parts).subarray(0, maxAnswerBytes).toString('utf8')
}
