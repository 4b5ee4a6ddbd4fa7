import { readFileSync } from 'node:fs'
import type { HistoryLine } from '../history-file.ts'
import type { Call, Restore } from './history.ts'

type Line = { place: number; line: HistoryLine }
export type History = { calls: Call[]; restores: Restore[]; torn: number }

const parse = (text: string): HistoryLine | undefined => {
  try {
    return JSON.parse(text) as HistoryLine
  } catch {
    return undefined
  }
}

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
  const texts = files.flatMap((file) => readFileSync(file, 'utf8').split('\n')).filter((text) => text !== '')
  const all = texts.map((text, place) => ({ place, line: parse(text) }))
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
