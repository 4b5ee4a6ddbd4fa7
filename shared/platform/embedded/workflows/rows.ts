import type { Key, RunEvent, RunRef, Write } from '../../platform.ts'
import { type Changes, dueAtOf, type Frame, type Head } from './execution.ts'
import { exceeds } from './jsonata-bounds.ts'

/** Partitions of what comes due, and of what is still to be told to the consumer. */
export const duePk = 'workflows#due'
export const outboxPk = 'workflows#outbox'
/** How long a run is known after its end, as in Step Functions. */
const keptMs = 90 * 86_400_000

export const padded = (ms: number): string => String(Math.ceil(ms)).padStart(15, '0')
const nameOf = ({ workflow, run }: RunRef): string => `${workflow}/${run}`
export const runPk = (ref: RunRef): string => `${ref.tenant}#run#${nameOf(ref)}`
export const historyPk = (ref: RunRef): string => `${ref.tenant}#run-history#${nameOf(ref)}`

/** The run that a key of it is about. */
export const refOf = ({ pk }: Pick<Key, 'pk'>): RunRef => {
  const [tenant = '', , name = ''] = pk.split('#')
  const [workflow = '', run = ''] = name.split('/')
  return { tenant, workflow, run }
}

const framePrefix = 'frame#'
const frameSk = (path: string): string => `${framePrefix}${path}`
/** The path of a frame's row; `undefined` for other rows. */
export const pathOf = ({ sk }: Pick<Key, 'sk'>): string | undefined =>
  sk.startsWith(framePrefix) ? sk.slice(framePrefix.length) : undefined

type Place = { pk: string; sk: string }
const dueAt = (pk: string, ms: number | undefined): { due: Place } | undefined =>
  ms === undefined ? undefined : { due: { pk: duePk, sk: `${padded(ms)}#${pk}` } }

export const put = (key: Key, type: string, value: unknown, index?: { due: Place }): Write => ({
  op: 'put',
  item: { ...key, type, value, ...(index && { index }) },
  expect: 'any',
})

/** When the head has to be looked at: at the end of its time, or when it is to be forgotten. */
export const headDueAt = ({ timeoutAt, stoppedAt }: Head): number | undefined =>
  stoppedAt === undefined ? timeoutAt : stoppedAt + keptMs

const frameWrite = (pk: string, path: string, frame: Frame | undefined): Write => {
  const key = { pk, sk: frameSk(path) }
  return frame ? put(key, 'frame', frame, dueAt(pk, dueAtOf(frame))) : { op: 'delete', key, expect: 'any' }
}

const rowCharacters = 64 * 1024

/** Events in rows that are neither many nor large; most transitions have few and small ones. */
const eventRows = (events: RunEvent[]): RunEvent[][] => {
  if (events.length === 0) return []
  return exceeds(events, rowCharacters / 4) ? manyEventRows(events) : [events]
}

const manyEventRows = (events: RunEvent[]): RunEvent[][] => {
  const rows: RunEvent[][] = []
  let room = 0
  for (const event of events) {
    const size = JSON.stringify(event).length
    if (room < size) {
      rows.push([])
      room = rowCharacters
    }
    rows.at(-1)?.push(event)
    room -= size
  }
  return rows
}

/** What is to be told to the consumer. */
export type Letter = { key: Key; kind: 'command' | 'end'; content: unknown }

/** In the order in which they were written, all in one place: they come and go together. */
export const lettersOf = (ref: RunRef, { commands, head }: Changes, now: number): Letter[] => {
  const keyOf = (what: string): Key => ({ pk: outboxPk, sk: `${padded(now)}#${runPk(ref)}#${what}` })
  const letters: Letter[] = commands.map(({ path, event, body }) => ({
    key: keyOf(`${padded(event)}#${path}`),
    kind: 'command',
    content: body,
  }))
  if (head?.stoppedAt !== undefined)
    letters.push({ key: keyOf('end'), kind: 'end', content: { ...ref, status: head.status } })
  return letters
}

/** Everything that changes make of a run's rows. */
export const writesOf = (ref: RunRef, changes: Changes, letters: Letter[]): Write[] => {
  const pk = runPk(ref)
  const { head, input, output, frames, events } = changes
  return [
    ...(head ? [put({ pk, sk: 'head' }, 'run', head, dueAt(pk, headDueAt(head)))] : []),
    ...(input === undefined ? [] : [put({ pk, sk: 'input' }, 'run-input', input)]),
    ...(output === undefined ? [] : [put({ pk, sk: 'output' }, 'run-output', output)]),
    ...[...frames].map(([path, frame]) => frameWrite(pk, path, frame)),
    ...eventRows(events).map((row) => put({ pk: historyPk(ref), sk: padded(row[0]?.id ?? 0) }, 'run-events', row)),
    ...letters.map(({ key, kind, content }) => put(key, kind, content)),
  ]
}
