import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentResponse } from '#shared/contracts/agents.ts'
import type { HeartbeatAnswer, Joined } from '#shared/contracts/worker.ts'
import type { Manifest } from './manifest.ts'
import type { Sender, WorkerAnswer, WorkerRequest } from './task-source.ts'

/** The platform refused; it will not be asked again. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly path: string

  constructor(request: WorkerRequest, answer: WorkerAnswer) {
    const { code = 'UNKNOWN', detail = '' } = (answer.body ?? {}) as { code?: string; detail?: string }
    super(`${request.method} ${request.path}: ${answer.status} ${code}: ${detail}`)
    this.name = 'Refusal'
    this.status = answer.status
    this.code = code
    this.path = request.path
  }
}

const retryable = (status: number): boolean => status === 429 || status >= 500
/** The platform may hold a heartbeat for so long, to tell at once of what is cancelled. */
const holdSeconds = 8
/** A held heartbeat that is answered later than this hangs: well before a lease is over. */
const beatSeconds = 16
const pause = { first: 100, most: 3000 }

/** Repeats a call whose answer was lost or that may go through later: every call of the protocol can be repeated. */
export const sendUntilAnswered = async (source: Sender, request: WorkerRequest): Promise<unknown> => {
  for (let round = 0; ; round++) {
    request.signal?.throwIfAborted()
    const answer = await source.send(request).catch(() => undefined)
    if (answer && answer.status < 300) return answer.body
    if (answer && !retryable(answer.status)) throw new Refusal(request, answer)
    await sleep(Math.random() * Math.min(pause.first * 2 ** round, pause.most), undefined, { signal: request.signal })
  }
}

const sameManifest = (agent: AgentResponse, manifest: Manifest): boolean =>
  JSON.stringify([
    agent.capabilities,
    agent.messages ?? [],
    agent.description,
    agent.type,
    manifest.resourceClass && agent.resourceClass,
  ]) ===
  JSON.stringify([
    manifest.capabilities,
    manifest.messages,
    manifest.description,
    manifest.type,
    manifest.resourceClass,
  ])

/** Registers the agent, or brings its registration up to date with its code. */
export const enrol = async (source: Sender, manifest: Manifest, signal: AbortSignal): Promise<void> => {
  const path = `/agents/${manifest.name}`
  try {
    const agent = (await sendUntilAnswered(source, { method: 'GET', path, signal })) as AgentResponse
    if (sameManifest(agent, manifest)) return
    const { name: _, labels: __, ...body } = manifest
    await sendUntilAnswered(source, { method: 'PATCH', path, body, signal })
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 404) throw error
    await register(source, manifest, signal)
  }
}

/** A sibling that registers at the same time is as good. */
const register = async (source: Sender, manifest: Manifest, signal: AbortSignal): Promise<void> => {
  try {
    await sendUntilAnswered(source, { method: 'POST', path: '/agents', body: manifest, signal })
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'NAME_TAKEN') throw error
  }
}

/** The same key again is the same instance, under a new token. */
export const join = async (
  source: Sender,
  { agent, slots, key }: { agent: string; slots: number; key: string },
  signal: AbortSignal,
): Promise<Joined> => {
  const headers = { 'idempotency-key': key }
  const request: WorkerRequest = { method: 'POST', path: '/instances', headers, body: { agent, slots }, signal }
  return (await sendUntilAnswered(source, request)) as Joined
}

type BeatOptions = {
  running: { taskId: string; fence: string }[]
  /** The most that it waits for an answer. */
  patienceSeconds: number
  until: AbortSignal
}

export const beat = async (
  source: Sender,
  instanceId: string,
  { running, patienceSeconds, until }: BeatOptions,
): Promise<HeartbeatAnswer> => {
  const seconds = Math.min(beatSeconds, patienceSeconds)
  const request: WorkerRequest = {
    method: 'POST',
    path: `/instances/${instanceId}/heartbeat`,
    headers: { prefer: `wait=${Math.floor(Math.min(holdSeconds, seconds / 2))}` },
    body: { running },
    signal: AbortSignal.any([until, AbortSignal.timeout(seconds * 1000)]),
  }
  const answer = await source.send(request)
  if (answer.status !== 200) throw new Refusal(request, answer)
  return answer.body as HeartbeatAnswer
}
