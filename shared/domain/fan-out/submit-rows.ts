import type { Platform, Stored } from '../../platform/platform.ts'
import { PlatformError } from '../../platform/platform-error.ts'
import { loadBody } from '../bodies/body.ts'
import type { Caller } from '../caller.ts'
import { DomainError, type DomainErrorCode, sentenceOfRefusal } from '../domain-error.ts'
import { sideBySide } from '../side-by-side.ts'
import type { SubmitCommand } from '../tasks/submit-command.ts'
import { type CheckInput, submitTask } from '../tasks/submit-task.ts'
import { advance, type FanOut, isOver, stop } from './fan-out.ts'
import { type BadRow, changeFanOut, fanOutPk, markEnded, noteBadRows, rowKey } from './fan-out-store.ts'
import type { Pass } from './keep-pass.ts'
import { type Row, readRows } from './read-rows.ts'

export type FanOutPorts = Omit<Platform, 'feed' | 'bus' | 'hosts'>
/** What the edge knows: how the body of a submit is read, and what fits a schema. */
export type FanOutTools = { checkInput: CheckInput; readSubmit: (body: unknown) => SubmitCommand }
/** `isMine`: nobody else can have begun to do the same. */
export type PassTools = FanOutTools & Pick<Pass, 'isMine'>

const width = 32

/** Refusals that say nothing about a row: it is submitted again later, or its task has ended meanwhile. */
const ofTheMoment: DomainErrorCode[] = [
  'UNAUTHENTICATED',
  'CONTENDED',
  'RATE_LIMITED',
  'STALE_FENCE',
  'ALREADY_FINISHED',
]

/** Why a row can be no task; `undefined`: the refusal is not about the row. */
export const problemOf = (error: unknown): { code: string; message: string } | undefined => {
  if (error instanceof PlatformError && !error.retryable) return { code: error.code, message: error.message }
  if (!(error instanceof DomainError) || ofTheMoment.includes(error.code)) return undefined
  return { code: error.code, message: sentenceOfRefusal(error).slice(0, 500) }
}

/**
 * Reads the next rows and submits each under its own key, so that a row that was submitted before is found again. Only
 * then does the position move. Rows that cannot be tasks are failures, and not the end. A pass that was held up for so long
 * that another may have begun submits no more: it could be behind the end. `undefined`: that was so.
 */
export const submitRows = async (
  ports: FanOutPorts,
  tools: PassTools,
  start: Stored<FanOut>,
  count: number,
): Promise<Stored<FanOut> | undefined> => {
  const fan = start.value
  const { row, byte } = fan.position
  const read = await readRows(ports, fan, { row, byte, count })
  if (read === undefined) {
    const message = 'the object that its rows come from is gone'
    return changeFanOut(ports, start, (current) => stop(current, { reason: 'FAILURES', message }))
  }
  const bad = await submitEach(ports, tools, fan, read.rows)
  if (bad === undefined) return undefined
  await noteBadRows(ports, fan, bad)
  await markEnded(
    ports,
    fan,
    bad.map((one) => [one.row, 'failed'] as const),
  )
  const { byte: next, ended } = read
  return changeFanOut(ports, start, (current) =>
    current.position.row === row && !isOver(current)
      ? advance(current, { rows: read.rows.length, byte: next, ended })
      : current,
  )
}

const submitEach = async (
  ports: FanOutPorts,
  tools: PassTools,
  fan: FanOut,
  rows: Row[],
): Promise<BadRow[] | undefined> => {
  const { tenant, id, by } = fan
  const caller: Caller = { tenant, principal: by, requestId: id }
  const shared = await loadShared(ports, fan)
  const bad: BadRow[] = []
  let late = false
  await sideBySide(rows, width, async ({ row, value, problem }) => {
    const fail = (why: { code: string; message: string }) => void bad.push({ row, ...why })
    if (problem !== undefined) return fail({ code: 'INVALID', message: problem })
    if (!tools.isMine()) {
      late = true
      return
    }
    try {
      const command = tools.readSubmit(shared.bodyOf(value))
      const place = { parent: fan.task ?? command.parent, batch: { id, row }, idempotencyKey: rowKey(fan, row) }
      const run = fan.step && { run: fan.step.run }
      await submitTask(ports, caller, { ...command, ...place, ...run }, tools.checkInput)
    } catch (error) {
      const why = problemOf(error)
      if (why === undefined) throw error
      fail(why)
    }
  })
  return late ? undefined : bad.sort((a, b) => a.row - b.row)
}

/** What all rows have in common, and how the body of a submit is made of it and a row. */
const loadShared = async (ports: FanOutPorts, { tenant, id, template, common }: FanOut) => {
  const load = (body: FanOut['template']) => loadBody(ports, { tenant, pk: fanOutPk(tenant, id), body })
  const [task, input] = await Promise.all([template && load(template), common && load(common)])
  const inputOf = (value: unknown) => (common === undefined ? value : { shard: value, input })
  return {
    bodyOf: (value: unknown) => (template === undefined ? value : { ...(task as object), input: inputOf(value) }),
  }
}
