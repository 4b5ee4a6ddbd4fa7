import { stripVTControlCharacters } from 'node:util'
import type { AgentContext } from '#agent/sdk/index.ts'

export type OutputStream = 'stdout' | 'stderr'

type Options = {
  /** Characters streamed in all; what follows is left out, and that is said once. @default 1_000_000 */
  maxTotal?: number
  /** Characters of one chunk. @default 8_192 */
  maxChunk?: number
  /** @default 300 */
  flushMs?: number
}

/** Streams lines as `{type: 'log', stream, text}` in bounded chunks, without control characters. */
export const createLogStream = (
  { output }: Pick<AgentContext, 'output'>,
  { maxTotal = 1_000_000, maxChunk = 8192, flushMs = 300 }: Options = {},
) => {
  let chunk: { stream: OutputStream; lines: string[]; length: number } | undefined
  let timer: NodeJS.Timeout | undefined
  let total = 0

  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    if (chunk) output({ type: 'log', stream: chunk.stream, text: chunk.lines.join('\n') })
    chunk = undefined
  }
  const add = (stream: OutputStream, text: string) => {
    if (chunk && (chunk.stream !== stream || chunk.length + text.length > maxChunk)) flush()
    chunk ??= { stream, lines: [], length: 0 }
    chunk.lines.push(text)
    chunk.length += text.length + 1
    timer ??= setTimeout(flush, flushMs)
  }

  return {
    line: (stream: OutputStream, line: string): void => {
      if (total > maxTotal) return
      const text = stripVTControlCharacters(line)
      total += text.length + 1
      add(stream, total > maxTotal ? `[the rest is not streamed: more than ${maxTotal} characters]` : text)
    },
    flush,
  }
}
