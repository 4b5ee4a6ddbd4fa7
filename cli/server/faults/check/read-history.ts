import { readFileSync } from 'node:fs'
import { reasonOf } from '../../../input/files.ts'
import type { HistoryLine } from '../history-file.ts'
import type { Call, Restore } from './history.ts'

type Line = { place: number; line: HistoryLine }
export type History = { calls: Call[]; restores: Restore[]; torn: number }

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

type Known = Partial<{ type: string; id: unknown; generation: unknown }>
const isLine = (value: unknown): value is HistoryLine => {
  const { type, id, generation } = (value ?? {}) as Known
  return type === 'start'
    ? typeof generation === 'number'
    : ['call', 'answer'].includes(type ?? '') && typeof id === 'string'
}

/** A line that was torn begins as one and ends too soon; whatever else is none shows that the file is no history. */
const linesOf = (file: string): (HistoryLine | undefined)[] => {
  const texts = textOf(file).split('\n')
  const lines = texts.flatMap((text, at) => {
    if (text === '') return []
    const value = parse(text)
    const isTorn = value === undefined && text.startsWith('{')
    if (isLine(value) || isTorn) return [isTorn ? undefined : (value as HistoryLine)]
    throw new Error(`line ${at + 1} of ${file} is ${shorten(text)}, which is none of a history; ${whatIs}`)
  })
  if (lines.some((line) => line !== undefined)) return lines
  throw new Error(
    `line 1 of ${file} is ${shorten(texts[0] ?? '')}, and no line after it is one of a history; ${whatIs}`,
  )
}

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`${file} cannot be read: ${reasonOf(error)}; ${whatIs}`, { cause: error })
  }
}

const whatIs = 'give a file that devcycle start --history FILE wrote'
const shorten = (text: string): string => (text === '' ? 'empty' : JSON.stringify(text.slice(0, 60)))

/** A call that does several things is as many calls. */
const parts = (
  { each, ...call }: Call & { each?: { task: string; fence: string; digest: string }[] },
  outcomes: { status: number; code?: string }[],
): Call[] =>
  each === undefined
    ? [call]
    : each.map(({ task, fence, digest }, at) => {
        const answer = outcomes[at]
        const { answer: _, ...rest } = call
        return {
          ...rest,
          operation: 'completeTask',
          params: { ...call.params, task },
          fence,
          digest,
          ...(answer && { answer: { ...answer, task: { id: task, status: '' } } }),
        }
      })

/** Where the generation grew the records came from an older copy: nobody knows of when, so it may be of any time before. */
const restoresOf = (lines: Line[]): Restore[] => {
  const starts = lines.flatMap(({ place, line }) =>
    line.type === 'start' ? [{ at: place, generation: line.generation }] : [],
  )
  return starts
    .filter(({ generation }, at) => at > 0 && generation > (starts[at - 1]?.generation ?? 0))
    .map(({ at }) => ({ backup: -1, at }))
}

/** One history from the files of several runs of a server, in the order in which they are given. */
export const readHistory = (files: string[]): History => {
  const all = files.flatMap(linesOf).map((line, place) => ({ place, line }))
  const lines = all.filter((one): one is Line => one.line !== undefined)
  const answers = new Map(
    lines.flatMap(({ place, line }) => (line.type === 'answer' ? [[line.id, { place, line }]] : [])),
  )
  const calls = lines.flatMap(({ place, line }) => {
    if (line.type !== 'call') return []
    const { type: _, at: __, ...asked } = line
    const found = answers.get(line.id)
    if (found === undefined) return parts({ ...asked, from: place }, [])
    const { type: ___, id: ____, ms: _____, each = [], ...answer } = found.line
    return parts({ ...asked, from: place, to: found.place, answer }, each)
  })
  return { calls, restores: restoresOf(lines), torn: all.length - lines.length }
}
