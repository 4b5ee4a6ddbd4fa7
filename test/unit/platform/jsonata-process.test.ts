import { execFileSync } from 'node:child_process'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { createJsonataProcess } from '#shared/platform/embedded/workflows/jsonata-process.ts'
import { answerRequest } from '#shared/platform/embedded/workflows/jsonata-request.ts'

const apart = createJsonataProcess()
afterAll(() => apart.close())

/** Nothing else of this process runs meanwhile. */
const keepBusy = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

/** The youngest child of this process that runs a program. */
const processOf = (program: string): number => {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args=']).toString().split('\n')
  const rows = lines.map((line) => /(\d+) +(\d+) (.*)/.exec(line) ?? [])
  return Number(rows.findLast(([, , parent, args]) => parent === String(process.pid) && args?.includes(program))?.[1])
}

describe('the process of expressions', () => {
  const impatient = createJsonataProcess({ patienceMs: 2000 })
  afterAll(() => impatient.close())

  it('answers none with the result of another whose answer came as its time was over', async () => {
    expect(await impatient.evaluate("'begun'", {}, 'acme')).toEqual({ json: '"begun"' })
    await setImmediate() // what follows is in front of the timers, and these in front of what other threads have sent
    const late = impatient.evaluate("'of a'", {}, 'acme')
    const next = impatient.evaluate("'of b'", {}, 'acme')
    keepBusy(2200)
    expect(await next).toEqual({ json: '"of b"' })
    expect([{ json: '"of a"' }, { reason: 'the expression was not done after 2000 ms' }]).toContainEqual(await late)
    expect(await impatient.evaluate("'of c'", {}, 'acme')).toEqual({ json: '"of c"' })
  })

  it('lets tenants take turns, however many expressions one of them has', async () => {
    const order: string[] = []
    const evaluate = async (tenant: string, n: number): Promise<void> => {
      await apart.evaluate(String(n), {}, tenant)
      order.push(`${tenant} ${n}`)
    }
    const many = [0, 1, 2, 3, 4].map((n) => evaluate('many', n))
    await Promise.all([...many, evaluate('few', 0), evaluate('few', 1)])
    expect(order).toEqual(['many 0', 'many 1', 'few 0', 'many 2', 'few 1', 'many 3', 'many 4'])
  })
})

describe('the time of an expression', () => {
  const endless = '($again := function($n) { $again($n + 1) }; $again(0))'
  const request = (source: string) => ({
    source,
    bindings: { list: Array.from({ length: 100 }, (_, n) => n) },
    limits: { timeout: 200, stack: 0, sequence: 1000 },
    mostCharacters: 1000,
  })

  it('is that of the processor: a clock that jumps ends none', async () => {
    let now = Date.now()
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => (now += 60_000))
    const answer = await answerRequest(request('$sum($list.($ * 2))'))
    clock.mockRestore()
    expect(answer).toEqual({ json: '9900' })
  })

  it('is over for one that does not end', async () => {
    expect(await answerRequest(request(endless))).toEqual({ reason: expect.stringContaining('after 200 milliseconds') })
  })

  it('is not over while its process stands still', async () => {
    await apart.evaluate('1', {}, 'acme')
    const pid = processOf('jsonata-main')
    process.kill(pid, 'SIGSTOP')
    const answer = apart.evaluate('$sum([1..10].($ * 2))', {}, 'acme')
    await setTimeout(3000)
    process.kill(pid, 'SIGCONT')
    expect(await answer).toEqual({ json: '110' })
  })

  it('is over for one long match of a pattern, with its process', async () => {
    const answer = await apart.evaluate('$contains("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", /^(a+)+$/)', {}, 'acme')
    expect(answer).toEqual({ reason: 'the expression took longer than 2000 ms' })
    expect(await apart.evaluate('1', {}, 'acme')).toEqual({ json: '1' })
  })
})
