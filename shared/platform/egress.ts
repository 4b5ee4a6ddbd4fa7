import { lookup as systemLookup } from 'node:dns/promises'
import { type ClientRequest, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { type EgressAllowance, isReachable, notPublic, parseTarget, type Target } from './egress-target.ts'
import type { Egress, EgressAnswer, EgressRequest } from './platform.ts'
import { PlatformError } from './platform-error.ts'

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<string[]>

type Options = { allow?: EgressAllowance; resolve?: Resolve }

const maxAnswerBytes = 64 * 1024
/** So long a caller waits for the look at a name; one that takes longer is looked at when it is called. */
const lookMs = 5000

const resolveBySystem: Resolve = async (hostname) =>
  (await systemLookup(hostname, { all: true, verbatim: true })).map(({ address }) => address)

const refuse = (url: string, problem: string): PlatformError =>
  new PlatformError('INVALID', `${url} cannot be called: ${problem}`)

/** Calls to other systems; for every host. */
export const createEgress = ({ allow = [], resolve = resolveBySystem }: Options = {}): Egress => {
  /** The address to connect to. Every one that the name has must be allowed: which is used is not the caller's choice. */
  const addressOf = async (target: Target): Promise<string> => {
    if (isIP(target.hostname) !== 0) return target.hostname
    const addresses = await resolve(target.hostname)
    const bad = addresses.find((address) => !isReachable(allow, target, address))
    if (bad !== undefined) throw refuse(target.url.href, notPublic(`${target.hostname} (${bad})`))
    const [first] = addresses
    if (first === undefined) throw new PlatformError('UNAVAILABLE', `${target.hostname} has no address`)
    return first
  }
  const targetOf = (url: string): Target => {
    const target = parseTarget(url, allow)
    if ('problem' in target) throw refuse(url, target.problem)
    return target
  }

  return {
    async problem(url) {
      try {
        await within(lookMs, addressOf(targetOf(url)))
        return undefined
      } catch (error) {
        return error instanceof PlatformError && error.code === 'INVALID' ? error.message : undefined
      }
    },
    async post(request) {
      const target = targetOf(request.url)
      const begun = performance.now()
      const address = await within(request.timeoutMs, addressOf(target)).catch((error: unknown) => {
        throw error instanceof PlatformError ? error : unavailable(request.url, error)
      })
      const timeoutMs = Math.max(1, Math.ceil(request.timeoutMs - (performance.now() - begun)))
      return send(target, address, { ...request, timeoutMs })
    },
  }
}

/** A resolver cannot be broken off, only left alone. */
const within = async <T>(ms: number, work: Promise<T>): Promise<T> => {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`its name did not resolve within ${Math.round(ms)} ms`)), ms)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

const unavailable = (url: string, cause: unknown): PlatformError =>
  new PlatformError('UNAVAILABLE', `${url} did not answer: ${(cause as Error).message}`, { cause })

const send = ({ url, hostname }: Target, address: string, request: EgressRequest): Promise<EgressAnswer> =>
  new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => reject(unavailable(request.url, cause))
    const options: RequestOptions = {
      method: 'POST',
      headers: { ...request.headers, 'content-length': String(Buffer.byteLength(request.body)) },
      lookup: pinned(address),
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

/** Whatever the name resolves to by now: the address that was checked is the one that is connected to. */
const pinned =
  (address: string): NonNullable<RequestOptions['lookup']> =>
  (_hostname, options, answer) => {
    const family = isIP(address)
    const all = typeof options === 'object' && options.all
    if (all) (answer as unknown as (error: null, list: object[]) => void)(null, [{ address, family }])
    else answer(null, address, family)
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
