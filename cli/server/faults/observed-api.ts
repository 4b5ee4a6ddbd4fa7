import { hash } from 'node:crypto'
import { checkShape } from '#functions/api/read-body.ts'
import type { Answered, Asked } from './check/history.ts'
import type { Dice } from './dice.ts'
import { type FaultTools, underFaults } from './faulty-platform.ts'
import type { HistoryFile, HistoryLine } from './history-file.ts'
import { operationOf } from './operation-of.ts'

/** The socket of a request, where its host tells it. */
type Env = { outgoing?: { destroy(): unknown } }
export type Fetch<E> = (request: Request, env: E) => Response | Promise<Response>
type Body = Record<string, unknown>

type Options = {
  history?: HistoryFile
  dice?: Dice
  tools: FaultTools
  now: () => number
  /** An id that no other call has. */
  mint: () => string
  /** What is asked of a `PlatformError`: an answer of the API. */
  refuse: (error: unknown) => Response
}

/** Who asks, by the part of a token that is no secret. */
const principalOf = (header: string | null): string => {
  const token = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? ''
  const [, key] = /^dck_([0-9A-Z]{26})_/.exec(token) ?? []
  const [, instance] = /^dci_[\w-]+\.([0-9A-Z]{26})\./.exec(token) ?? []
  return key ? `key:key_${key}` : instance ? `instance:ins_${instance}` : 'nobody'
}

const digestOf = (value: unknown): string => hash('sha256', JSON.stringify(value) ?? '').slice(0, 16)

/** A body that is read a second time must be small enough to be. */
const mostBytes = 1 << 20

const readBody = async (message: Request | Response): Promise<Body | undefined> => {
  const { headers } = message
  const isJson = (headers.get('content-type') ?? '').includes('json')
  if (!isJson || Number(headers.get('content-length') ?? 0) > mostBytes || message.body === null) return undefined
  try {
    const body = await message.clone().json()
    checkShape(body) // what the API refuses for its depth must not be walked here
    return body as Body
  } catch {
    return undefined
  }
}

const askedOf = async (request: Request, id: string, found: Pick<Asked, 'operation' | 'params'>) => {
  const body = request.method === 'GET' ? undefined : await readBody(request)
  const key = request.headers.get('idempotency-key')
  const each = Array.isArray(body?.completions)
    ? (body.completions as Body[]).map(({ taskId, ...rest }) => ({
        task: String(taskId),
        fence: String(rest.fence),
        digest: digestOf(rest),
      }))
    : undefined
  const asked: Asked = {
    id,
    ...found,
    principal: principalOf(request.headers.get('authorization')),
    ...(typeof body?.fence === 'string' && { fence: body.fence }),
    ...(key !== null && { key }),
    ...(body && { digest: digestOf(body) }),
    ...(found.operation === 'sendMessage' && typeof body?.kind === 'string' && { kind: body.kind.slice(0, 20) }),
    ...(found.operation === 'createBatch' && { rows: refOf(body?.input) }),
  }
  return { ...asked, ...(each && { each }) }
}

const refOf = (input: unknown): string | undefined => {
  const { $ref } = (input ?? {}) as { $ref?: unknown }
  return typeof $ref === 'string' ? $ref : undefined
}

const isTask = (body: Body | undefined): body is { id: string; status: string } =>
  typeof body?.id === 'string' && body.id.startsWith('tsk_')

const listOf = (body: Body | undefined, name: string): Body[] =>
  Array.isArray(body?.[name]) ? (body[name] as Body[]) : []

const answeredOf = async (response: Response): Promise<Answered & { each?: { status: number; code?: string }[] }> => {
  const body = await readBody(response)
  const leased = listOf(body, 'tasks').filter(({ fence }) => typeof fence === 'string')
  const outcomes = listOf(body, 'outcomes')
  const made = listOf(body, 'items').flatMap((item) =>
    isTask(item.task as Body) ? [(item.task as { id: string }).id] : isTask(item) ? [item.id] : [],
  )
  return {
    status: response.status,
    ...(typeof body?.code === 'string' && { code: body.code }),
    ...(isTask(body) && { task: { id: body.id, status: String(body.status) } }),
    ...(typeof body?.id === 'string' && body.id.startsWith('bat_') && { batch: body.id }),
    ...(typeof body?.id === 'string' && body.id.startsWith('run_') && { run: body.id }),
    ...(leased.length > 0 && {
      leased: leased.map(({ taskId, fence }) => ({ id: String(taskId), fence: String(fence) })),
    }),
    ...(outcomes.length > 0 && {
      each: outcomes.map(({ status, code }) => ({
        status: Number(status),
        ...(code !== undefined && { code: String(code) }),
      })),
    }),
    ...(response.status < 300 && made.length > 0 && { made }),
  }
}

/** The API as it is asked, with faults around each operation and a history of all of them. */
export const observed = <E>(fetch: Fetch<E>, { history, dice, tools, now, mint, refuse }: Options): Fetch<E> => {
  const answer = async (request: Request, env: E, operation: string): Promise<Response> => {
    const rules = dice?.roll(operation) ?? []
    const carryOut = async (): Promise<Response> => fetch(request, env)
    try {
      return await underFaults(operation, rules, tools, carryOut)
    } catch (error) {
      if (rules.some(({ fault }) => fault === 'drop-answer')) (env as Env | undefined)?.outgoing?.destroy()
      return refuse(error)
    }
  }
  return async (request, env) => {
    const found = operationOf(request.method, new URL(request.url).pathname)
    if (found === undefined) return fetch(request, env)
    if (history === undefined) return answer(request, env, found.operation)
    const began = now()
    const asked = await askedOf(request, mint(), found)
    history.write({ type: 'call', at: new Date(began).toISOString(), ...asked } satisfies HistoryLine)
    const response = await answer(request, env, found.operation)
    history.write({
      type: 'answer',
      id: asked.id,
      ms: now() - began,
      ...(await answeredOf(response)),
    } satisfies HistoryLine)
    return response
  }
}
