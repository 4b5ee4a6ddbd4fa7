import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliError, exitCodes } from '../failure.ts'
import { ApiError, toApiError, toUnreachable, UnreachableError } from './errors.ts'

export type RequestOptions = { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal }

export type Client = {
  url: string
  /** The parsed answer; a refusal is an `ApiError`, no answer an `UnreachableError`. */
  request<T>(method: string, path: string, options?: RequestOptions): Promise<T>
  /** A read: repeated while there is hope. */
  get<T>(path: string, options?: RequestOptions): Promise<T>
  /** A create: repeated under one idempotency key while there is hope. */
  create<T>(path: string, body: unknown, options?: RequestOptions): Promise<T>
  /** The raw answer of a read, for streams; a refusal is an `ApiError`. */
  open(path: string, options?: RequestOptions): Promise<Response>
}

export type ClientOptions = {
  /** Origin of the server, with the path before `/api/v2` if there is one. */
  url: string
  apiKey?: string
  /** What to tell when no server answers. */
  hint?: string
}

const answerMs = 60_000

/** A client of the HTTP API. */
export const createClient = ({ url, apiKey, hint }: ClientOptions): Client => {
  const send = async (method: string, path: string, options: RequestOptions): Promise<Response> => {
    const { body, headers, signal } = options
    const authorization = apiKey && { authorization: `Bearer ${apiKey}` }
    const json = body !== undefined && { 'content-type': 'application/json' }
    try {
      const init = { method, signal, headers: { ...authorization, ...json, ...headers } }
      return await fetch(`${url}/api/v2${path}`, { ...init, ...(json && { body: JSON.stringify(body) }) })
    } catch (error) {
      if (options.signal?.aborted && options.signal.reason?.name !== 'TimeoutError') throw error
      throw toUnreachable(error, url, hint)
    }
  }
  const accept = async (method: string, path: string, options: RequestOptions): Promise<Response> => {
    const response = await send(method, path, options)
    if (!response.ok) throw await toApiError(response, url)
    return response
  }
  const request: Client['request'] = async (method, path, options = {}) => {
    const timeout = AbortSignal.timeout(answerMs)
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
    const response = await accept(method, path, { ...options, signal })
    return parseAnswer(await readText(response, url), url)
  }
  return {
    url,
    request,
    open: (path, options = {}) => accept('GET', path, options),
    get: (path, options = {}) => persistently(() => request('GET', path, options), options.signal),
    create: (path, body, options = {}) => {
      const headers = { 'idempotency-key': randomUUID(), ...options.headers }
      return persistently(() => request('POST', path, { ...options, body, headers }), options.signal)
    },
  }
}

const readText = (response: Response, url: string): Promise<string> =>
  response.text().catch((error: unknown) => {
    throw toUnreachable(error, url)
  })

const parseAnswer = <T>(text: string, url: string): T => {
  try {
    return (text === '' ? undefined : JSON.parse(text)) as T
  } catch {
    throw new CliError(`${url} answered no JSON; is it a DevCycle server?`, exitCodes.failed)
  }
}

const tries = 6
const firstPauseMs = 200
const longestPauseMs = 5000

/** Whether the same request may well be answered in a moment. */
export const isPassing = (error: unknown): boolean => {
  if (error instanceof ApiError) return error.status === 429 || (error.status >= 502 && error.status <= 504)
  return error instanceof UnreachableError
}

/** Repeats what may be repeated; a server that was never there is told at once. */
const persistently = async <T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
  for (let round = 1; ; round++)
    try {
      return await attempt()
    } catch (error) {
      const absent = round === 1 && error instanceof UnreachableError && error.refused
      if (absent || round === tries || signal?.aborted || !isPassing(error)) throw error
      const asked = error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0
      const pause = Math.max(asked, Math.random() * firstPauseMs * 2 ** round)
      await sleep(Math.min(pause, longestPauseMs), undefined, { signal })
    }
}
