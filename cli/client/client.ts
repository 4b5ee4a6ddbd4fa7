import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Problem } from '#shared/contracts/common.ts'
import { CliError, exitCodes } from '../failure.ts'

export type RequestOptions = { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal }

export type Client = {
  url: string
  /** The parsed answer; a refusal or no answer is a `CliError` with the right exit code. */
  request<T>(method: string, path: string, options?: RequestOptions): Promise<T>
  get<T>(path: string): Promise<T>
  /** A create: repeated with one idempotency key until it is answered. */
  create<T>(path: string, body: unknown, options?: RequestOptions): Promise<T>
  /** The raw answer, for streams. */
  open(path: string, options?: RequestOptions): Promise<Response>
}

const exitCodeOf = (status: number): number => {
  if (status === 401 || status === 403) return exitCodes.notAuthenticated
  if (status === 404) return exitCodes.notFound
  return status === 400 || status === 422 ? exitCodes.usage : 1
}

const toError = async (response: Response): Promise<CliError> => {
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>
  const fields = (problem.errors ?? []).map(({ pointer, message }) => `${pointer}: ${message}`)
  const lines = fields.length > 1 ? `\n  ${fields.join('\n  ')}` : ''
  return new CliError(
    `${problem.detail ?? response.statusText}${lines} (${problem.code ?? response.status})`,
    exitCodeOf(response.status),
  )
}

const tries = 4

/** A client of the HTTP API. */
export const createClient = ({ url, apiKey }: { url: string; apiKey?: string }): Client => {
  const open: Client['open'] = async (path, { body, headers, signal } = {}) =>
    send('GET', path, { body, headers, signal })
  const send = async (method: string, path: string, { body, headers, signal }: RequestOptions): Promise<Response> => {
    try {
      return await fetch(`${url}/api/v2${path}`, {
        method,
        signal,
        headers: {
          ...(apiKey && { authorization: `Bearer ${apiKey}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      })
    } catch (error) {
      if (signal?.aborted) throw error
      throw new CliError(`no server answers at ${url}; is it running? (devcycle start)`, exitCodes.unreachable, {
        cause: error,
      })
    }
  }
  const request = async <T>(method: string, path: string, options: RequestOptions = {}): Promise<T> => {
    const response = await send(method, path, options)
    if (!response.ok) throw await toError(response)
    const text = await response.text()
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
  const create = async <T>(path: string, body: unknown, options: RequestOptions = {}): Promise<T> => {
    const headers = { 'idempotency-key': randomUUID(), ...options.headers }
    for (let round = 1; ; round++)
      try {
        return await request<T>('POST', path, { ...options, body, headers })
      } catch (error) {
        const lost = error instanceof CliError && error.exitCode === exitCodes.unreachable
        if (!lost || round >= tries) throw error
        await sleep(100 * 2 ** round)
      }
  }
  return { url, request, open, create, get: (path) => request('GET', path) }
}
