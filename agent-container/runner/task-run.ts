import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Joined, LeasedTask } from '#shared/contracts/worker.ts'
import { fetchObject, insideOf, putObject } from './object-transfer.ts'
import { Refusal, sendUntilAnswered } from './platform-client.ts'
import { createReporter } from './reporter.ts'
import type { Slot, SlotEnd } from './slot.ts'
import type { FromSlot, SlotCalls } from './slot-messages.ts'
import type { TaskSource } from './task-source.ts'

const graceMs = 2000
const maxInlineResult = 250 * 1024
const maxInlineChunk = 100 * 1024

type Outcome = Extract<FromSlot, { type: 'done' | 'failed' }>
export type TaskRun = {
  task: LeasedTask
  /** Stops the handler: told first, killed soon after. Nothing is reported any more. */
  abort(reason: string): void
  ended: Promise<void>
}

type Options = {
  task: LeasedTask
  slot: Slot
  source: TaskSource
  joined: Joined
  mask: (value: unknown) => unknown
  onContact: () => void
}

const isReference = (value: unknown): value is { $ref: string } =>
  value !== null &&
  typeof value === 'object' &&
  '$ref' in value &&
  typeof value.$ref === 'string' &&
  Object.keys(value).length === 1

/** Runs one leased task in its slot, passes on what it reports, and tells the platform how it ended. */
export const runTask = ({ task, slot, source, joined, mask, onContact }: Options): TaskRun => {
  const { taskId, fence } = task
  const { token } = joined
  const lost = new AbortController()
  const access = { source, token, signal: lost.signal }
  let timedOut = false

  const post = async (verb: string, body: object): Promise<void> => {
    await sendUntilAnswered(source, {
      method: 'POST',
      path: `/tasks/${taskId}/${verb}`,
      body: { fence, ...body },
      token,
      signal: lost.signal,
    })
    onContact()
  }
  const stopSlot = (reason: string): void => {
    slot.send({ type: 'abort', reason })
    setTimeout(() => slot.kill(), graceMs).unref()
  }
  const abort = (reason: string): void => {
    if (lost.signal.aborted) return
    lost.abort(new Error(reason))
    stopSlot(reason)
  }
  /** A refused report means that the lease is somebody else's, or nobody's. */
  const dropped = (error: unknown): void => {
    if (error instanceof Refusal) abort(error.message)
  }
  const reporter = createReporter(
    (report) =>
      post('progress', mask(report) as object).catch((error: unknown) => {
        dropped(error)
        throw error
      }),
    (count) => slot.send({ type: 'flushed', count }),
  )

  const calls: { [N in keyof SlotCalls]: (argument: SlotCalls[N]['argument']) => Promise<SlotCalls[N]['answer']> } = {
    checkpoint: async (value) => {
      await reporter.checkpoint(value)
      return null
    },
    fetch: ({ $ref }) => fetchObject(access, $ref, slot.workspace),
    put: ({ file, base64 = '', contentType }) =>
      putObject(
        access,
        file === undefined ? { bytes: Buffer.from(base64, 'base64') } : { file: insideOf(slot.workspace, file) },
        contentType,
      ),
  }
  const answerCall = async ({ id, name, argument }: Extract<FromSlot, { type: 'call' }>): Promise<void> => {
    try {
      const value = await (calls[name] as (argument: unknown) => Promise<unknown>)(argument)
      slot.send({ type: 'answer', id, value })
    } catch (error) {
      slot.send({ type: 'answer', id, error: error instanceof Error ? error.message : String(error) })
    }
  }
  const outputChunk = async (chunk: unknown): Promise<void> => {
    const text = JSON.stringify(chunk) ?? 'null'
    if (text.length <= maxInlineChunk) reporter.output(chunk)
    else reporter.output(await putObject(access, { bytes: Buffer.from(text) }, 'application/json'))
  }
  let outputs = Promise.resolve()

  const outcome = new Promise<Outcome>((resolve) => {
    slot.onMessage((message) => {
      if (message.type === 'progress') reporter.progress(message.percent, message.message)
      if (message.type === 'output') outputs = outputs.then(() => outputChunk(message.chunk)).catch(dropped)
      if (message.type === 'log')
        reporter.log({ level: message.level, message: message.message, fields: message.fields })
      if (message.type === 'metric') reporter.metric(message)
      if (message.type === 'usage') reporter.usage(message.used)
      if (message.type === 'call') void answerCall(message)
      if (message.type === 'done' || message.type === 'failed') resolve(message)
    })
    slot.onText((stream, text) => {
      for (const line of text.split('\n').filter(Boolean))
        reporter.log({ level: stream === 'stderr' ? 'warn' : 'info', message: line })
    })
    void slot.ended.then((end) => resolve(crashed(end, timedOut, task.timeoutSeconds)))
  })

  const timeout = setTimeout(
    () => {
      timedOut = true
      stopSlot(`the attempt ran longer than ${task.timeoutSeconds} s`)
    },
    Math.min(task.timeoutSeconds * 1000, 2_147_483_647),
  )

  const loadInput = async (): Promise<unknown> =>
    isReference(task.input)
      ? JSON.parse(await readFile(await fetchObject(access, task.input.$ref, slot.workspace), 'utf8'))
      : task.input

  const complete = async (result: unknown): Promise<void> => {
    const masked = mask(result ?? null)
    const text = JSON.stringify(masked)
    const large = Buffer.byteLength(text) > maxInlineResult
    await post('complete', {
      result: large ? await putObject(access, { bytes: Buffer.from(text) }, 'application/json') : masked,
    })
  }
  const conclude = async (end: Outcome): Promise<void> => {
    await outputs
    await reporter.flush()
    const code = timedOut ? 'TIMEOUT' : 'code' in end ? end.code : ''
    if (end.type === 'done' && !timedOut) await complete(end.result)
    else if (end.type === 'failed')
      await post('fail', {
        code,
        message: String(mask(end.message)).slice(0, 8000),
        retryable: timedOut || end.retryable,
      })
    else await post('fail', { code, message: `the attempt ran longer than ${task.timeoutSeconds} s`, retryable: true })
  }
  const run = async (): Promise<void> => {
    try {
      const { capability, deadline, timeoutSeconds, traceparent, attempt, checkpoint = null } = task
      const input = await loadInput()
      slot.send({
        type: 'run',
        task: { id: taskId, fence, attempt, capability, deadline, timeoutSeconds, traceparent, input, checkpoint },
      })
      await conclude(await outcome)
    } catch (error) {
      if (!lost.signal.aborted && !(error instanceof Refusal)) await failBefore(error)
    } finally {
      clearTimeout(timeout)
      reporter.stop()
      await Promise.race([slot.ended, sleep(lost.signal.aborted ? graceMs + 500 : 200, undefined, { ref: false })])
      await slot.dispose()
    }
  }
  const failBefore = async (error: unknown): Promise<void> => {
    const message = error instanceof Error ? error.message : String(error)
    await post('fail', { code: 'AGENT_ERROR', message, retryable: true }).catch(dropped)
  }
  return { task, abort, ended: run() }
}

const crashed = ({ code, signal, stderr, overMemoryMb }: SlotEnd, timedOut: boolean, seconds: number): Outcome => {
  if (timedOut)
    return { type: 'failed', code: 'TIMEOUT', message: `the attempt ran longer than ${seconds} s`, retryable: true }
  if (overMemoryMb !== undefined)
    return {
      type: 'failed',
      code: 'AGENT_ERROR',
      message: `the task used ${overMemoryMb} MB of memory, more than its cap`,
      retryable: false,
    }
  const how = signal ? `was killed by ${signal}` : `ended with exit code ${code}`
  return {
    type: 'failed',
    code: 'AGENT_ERROR',
    message: `the task's process ${how}${stderr ? `: ${stderr.trim()}` : ''}`,
    retryable: true,
  }
}
