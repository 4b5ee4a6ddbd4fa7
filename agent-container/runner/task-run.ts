import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LeasedTask } from '#shared/contracts/worker.ts'
import { callChild } from './child-call.ts'
import { crashed, type Failure, tookTooLong } from './failure-of-slot.ts'
import { createMailCalls } from './mail.ts'
import { fetchObject, insideOf, isReference, putObject } from './object-transfer.ts'
import { Refusal, sendUntilAnswered } from './platform-client.ts'
import { readInputs } from './read-inputs.ts'
import { createReporter, type Report, sizeOf } from './reporter.ts'
import type { Slot } from './slot.ts'
import type { FromSlot, SlotCalls } from './slot-messages.ts'
import { createStateCalls } from './state-calls.ts'
import type { Sender } from './task-source.ts'
import { isStale, tellMeasured } from './tell-measured.ts'

const maxInlineResult = 250 * 1024
const maxInlineChunk = 100 * 1024

type Outcome = Extract<FromSlot, { type: 'done' | 'failed' }> | { type: 'waiting' }
export type TaskRun = {
  task: LeasedTask
  /**
   * Stops the handler: told first, killed soon after. Nothing is reported any more, but to a platform that has ended the
   * attempt (`over`) what it was measured to use.
   */
  abort(reason: string, over?: boolean): void
  ended: Promise<void>
}

type Options = {
  task: LeasedTask
  /** Whose mailbox the task receives from. */
  agent: string
  slot: Slot
  source: Sender
  mask: (value: unknown) => unknown
  onContact: () => void
  /** So long after a handler is told to stop, its processes are killed. @default 2000 */
  graceMs?: number
}

/** Answers to what is said of a task that mean that its lease is somebody else's, or nobody's. */
const lostStatuses = [401, 404, 409]

const isLost = (error: unknown): boolean =>
  error instanceof Refusal && error.path.startsWith('/tasks/') && lostStatuses.includes(error.status)

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What was refused once is refused again; what went wrong may go well next time. */
const failureOf = (error: unknown): Failure => ({
  type: 'failed',
  code: 'AGENT_ERROR',
  message: error instanceof Refusal ? `the platform refused ${error.message}` : messageOf(error),
  retryable: !(error instanceof Refusal),
})

/** Runs one leased task in its slot, passes on what it reports, and tells the platform how it ended. */
export const runTask = ({ task, agent, slot, source, mask, onContact, graceMs = 2000 }: Options): TaskRun => {
  const { taskId, fence } = task
  const lost = new AbortController()
  const access = { source, signal: lost.signal }
  const { promise: outcome, resolve: settle } = Promise.withResolvers<Outcome>()
  let timedOut = false
  /** The platform has ended the attempt before this side did. */
  let over = false
  let reports = 0

  const post = async (verb: string, body: object, headers?: Record<string, string>): Promise<void> => {
    await sendUntilAnswered(source, {
      method: 'POST',
      path: `/tasks/${taskId}/${verb}`,
      headers,
      body: { fence, ...body },
      signal: lost.signal,
    }).catch((error: unknown) => {
      over ||= isStale(error)
      throw error
    })
    onContact()
  }
  const stopSlot = (reason: string): void => {
    slot.send({ type: 'abort', reason })
    setTimeout(() => slot.kill(), graceMs).unref()
  }
  const abort = (reason: string, ended = false): void => {
    over ||= ended
    if (lost.signal.aborted) return
    lost.abort(new Error(reason))
    stopSlot(reason)
  }
  const giveUp = (failure: Failure): void => {
    settle(failure)
    stopSlot(failure.message)
  }
  /** A report that cannot be made ends the attempt: silently where the lease is lost, else as its failure. */
  const unreported = (error: unknown): void => {
    if (isLost(error)) abort(messageOf(error), isStale(error))
    else giveUp(failureOf(error))
  }
  /** The key is the same on every repetition: a report whose answer was lost is recorded once. */
  const postReport = (report: Report): Promise<void> =>
    post('progress', mask(report) as object, { 'idempotency-key': `${fence}.${++reports}` })
  const report = async (all: Report): Promise<void> => {
    try {
      await postReport(all).catch((error: unknown) => withoutMetrics(all, error))
    } catch (error) {
      unreported(error)
      throw error
    }
  }
  /** Metrics are not worth an attempt: refused ones are left out, and that is said. */
  const withoutMetrics = async ({ metrics, logs = [], ...rest }: Report, error: unknown): Promise<void> => {
    if (metrics === undefined || isLost(error) || !(error instanceof Refusal)) throw error
    const message = `${metrics.length} metrics were dropped: ${error.message}`.slice(0, 16_000)
    await postReport({ ...rest, logs: [...logs, { level: 'warn', message }] })
  }
  const stopIfLost = (error: unknown): never => {
    if (isLost(error)) abort(messageOf(error), isStale(error))
    throw error
  }
  const reporter = createReporter(report, (count) => slot.send({ type: 'flushed', count }))
  let reported = false
  /** Once: reports add up. */
  const reportMeasured = (): void => {
    if (!reported) reporter.usage(slot.measured())
    reported = true
  }

  const calls: { [N in keyof SlotCalls]: (argument: SlotCalls[N]['argument']) => Promise<SlotCalls[N]['answer']> } = {
    checkpoint: async (value) => {
      await reporter.checkpoint(value)
      return null
    },
    wait: async (request) => {
      await outputs
      reportMeasured()
      await reporter.flush()
      await post('wait', mask(request) as object).catch((error: unknown) => {
        unreported(error)
        throw error
      })
      settle({ type: 'waiting' })
      return new Promise(() => undefined) // nobody goes on: the process is ended
    },
    inputs: ({ after }) => readInputs(access, { taskId, fence, after }).catch(stopIfLost),
    call: (argument) =>
      callChild({ ...access, workspace: slot.workspace }, taskId, argument).catch((error: unknown) => {
        if (isStale(error)) abort(messageOf(error), true)
        throw error
      }),
    ...createMailCalls({ ...access, agent }, taskId),
    ...createStateCalls({ ...access, mask, lost: (reason) => abort(reason, true) }, { task: taskId, fence }),
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
      slot.send({ type: 'answer', id, error: messageOf(error) })
    }
  }
  const outputChunk = async (chunk: unknown): Promise<void> => {
    if (sizeOf(chunk) <= maxInlineChunk) return reporter.output(chunk)
    const bytes = Buffer.from(JSON.stringify(mask(chunk)))
    reporter.output(await putObject(access, { bytes }, 'application/json'))
  }
  let outputs = Promise.resolve()

  slot.onMessage((message) => {
    if (message.type === 'progress') reporter.progress(message.percent, message.message)
    if (message.type === 'output') outputs = outputs.then(() => outputChunk(message.chunk)).catch(unreported)
    if (message.type === 'log') reporter.log({ level: message.level, message: message.message, fields: message.fields })
    if (message.type === 'metric') {
      const { type: _, ...metric } = message
      reporter.metric(metric)
    }
    if (message.type === 'usage') reporter.usage(message.used)
    if (message.type === 'call') void answerCall(message)
    if (message.type === 'done' || message.type === 'failed') settle(message)
  })
  slot.onText((stream, text) => {
    for (const line of text.split('\n').filter(Boolean))
      reporter.log({ level: stream === 'stderr' ? 'warn' : 'info', message: line })
  })
  void slot.ended.then((end) => settle(timedOut ? tookTooLong(task.timeoutSeconds) : crashed(end)))

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
      usage: slot.measured(),
    })
  }
  const conclude = async (end: Outcome): Promise<void> => {
    if (end.type === 'waiting') return
    await outputs
    if (timedOut || end.type === 'failed') reportMeasured()
    await reporter.flush()
    if (timedOut) await failWith(tookTooLong(task.timeoutSeconds))
    else if (end.type === 'done') await complete(end.result)
    else await failWith(end)
  }
  const failWith = ({ code, message, retryable }: Failure): Promise<void> =>
    post('fail', { code, message: String(mask(message)).slice(0, 8000), retryable })
  const run = async (): Promise<void> => {
    try {
      const {
        capability,
        deadline,
        timeoutSeconds,
        traceparent,
        workflowRun,
        hops,
        attempt,
        checkpoint = null,
        resume,
      } = task
      const input = await loadInput()
      slot.send({
        type: 'run',
        task: {
          id: taskId,
          fence,
          attempt,
          capability,
          deadline,
          timeoutSeconds,
          traceparent,
          workflowRun,
          hops,
          input,
          checkpoint,
          resume,
        },
      })
      await conclude(await outcome)
    } catch (error) {
      if (!lost.signal.aborted && !isLost(error)) await failWith(failureOf(error)).catch(() => undefined)
    } finally {
      clearTimeout(timeout)
      reporter.stop()
      await Promise.race([slot.ended, sleep(200, undefined, { ref: false })])
      await slot.dispose()
      if (over) await tellMeasured(source, { taskId, fence, measured: slot.measured() })
    }
  }
  return { task, abort, ended: run() }
}
