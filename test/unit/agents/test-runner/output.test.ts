import { describe, expect, it } from 'vitest'
import { createKeptText } from '#agent/agents/test-runner/process/kept-text.ts'
import { createLineSplitter } from '#agent/agents/test-runner/process/line-splitter.ts'
import { createLogStream } from '#agent/agents/test-runner/process/log-stream.ts'
import { eventually } from '#test/support/eventually.ts'

const split = (pieces: string[], maxLength?: number): string[] => {
  const lines: string[] = []
  const splitter = createLineSplitter((line) => lines.push(line), maxLength === undefined ? {} : { maxLength })
  pieces.forEach(splitter.push)
  splitter.end()
  return lines
}

describe('the line splitter', () => {
  it('joins what comes in pieces and cuts at line ends of both kinds', () => {
    expect(split(['on', 'e\ntw', 'o\r\n', '\nthree'])).toEqual(['one', 'two', '', 'three'])
  })

  it('cuts a line that is too long, ended or not', () => {
    expect(split(['abcdefg\nxyz'], 3)).toEqual(['abc', 'def', 'g', 'xyz'])
    expect(split(['abcd', 'efgh'], 3)).toEqual(['abc', 'def', 'gh'])
  })
})

describe('the kept text', () => {
  it('is whole while it is short', () => {
    const kept = createKeptText()
    for (const line of ['a', 'b', 'c']) kept.push(line)
    expect(kept.text()).toBe('a\nb\nc')
    expect(kept.end(3)).toBe('c')
    expect(kept.end(4)).toBe('b\nc')
    expect(kept.end(5)).toBe('a\nb\nc')
  })

  it('keeps beginning and end, and says how many lines it left out', () => {
    const kept = createKeptText({ headLength: 20, tailLength: 40 })
    for (let at = 0; at < 1000; at++) kept.push(`line ${at}`)
    const lines = kept.text().split('\n')
    expect(lines.slice(0, 2)).toEqual(['line 0', 'line 1'])
    expect(lines.at(-1)).toBe('line 999')
    const omitted = Number(/^\[(\d+) lines omitted\]$/m.exec(kept.text())?.[1])
    expect(omitted + lines.length - 1).toBe(1000)
  })

  it('stays small whatever comes', () => {
    const kept = createKeptText({ headLength: 1000, tailLength: 1000 })
    for (let at = 0; at < 100_000; at++) kept.push('x'.repeat(100))
    expect(kept.text().length).toBeLessThan(2500)
  })
})

describe('the log stream', () => {
  const collect = (options?: Parameters<typeof createLogStream>[1]) => {
    const chunks: unknown[] = []
    return { chunks, stream: createLogStream({ output: (chunk) => void chunks.push(chunk) }, options) }
  }

  it('sends lines together, by stream, without control characters', () => {
    const { chunks, stream } = collect()
    stream.line('stdout', '\u001b[31mred\u001b[39m')
    stream.line('stdout', 'two')
    stream.line('stderr', 'bad')
    stream.flush()
    expect(chunks).toEqual([
      { type: 'log', stream: 'stdout', text: 'red\ntwo' },
      { type: 'log', stream: 'stderr', text: 'bad' },
    ])
  })

  it('sends by itself after a while', async () => {
    const { chunks, stream } = collect({ flushMs: 10 })
    stream.line('stdout', 'slow')
    await eventually(() => expect(chunks).toHaveLength(1))
  })

  it('sends bounded chunks and stops at its total, saying so once', () => {
    const { chunks, stream } = collect({ maxChunk: 50, maxTotal: 500 })
    for (let at = 0; at < 1000; at++) stream.line('stdout', 'x'.repeat(20))
    stream.flush()
    const texts = chunks.map((chunk) => (chunk as { text: string }).text)
    expect(Math.max(...texts.slice(0, -1).map((text) => text.length))).toBeLessThanOrEqual(50)
    expect(texts.join('').length).toBeLessThan(700)
    expect(texts.filter((text) => text.includes('not streamed'))).toHaveLength(1)
  })
})
