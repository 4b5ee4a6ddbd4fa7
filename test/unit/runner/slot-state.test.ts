import { describe, expect, it } from 'vitest'
import { createMask } from '#agent/runner/mask.ts'
import { createState } from '#agent/runner/slot-state.ts'
import { createStateCalls } from '#agent/runner/state-calls.ts'
import type { WorkerAnswer, WorkerRequest } from '#agent/runner/task-source.ts'
import { refusal } from './fake-platform.ts'

const held = { task: 'tsk_00000000000000000000000001', fence: '1.1' }
type Body = { value: unknown }

/** The state of one run; `lose` drops answers to changes that were made. */
const aBoard = ({ lose = 0, stale = false } = {}) => {
  const values = new Map<string, { value: unknown; rev: string }>()
  const requests: WorkerRequest[] = []
  const made = new Set<string>()
  let [left, revs] = [lose, 0]
  const change = (key: string, value: unknown, call: string): WorkerAnswer => {
    values.set(key, { value, rev: `r${++revs}` })
    made.add(call)
    if (left-- > 0) throw new Error('the connection broke')
    return { status: 200, body: values.get(key) }
  }
  const send = async (request: WorkerRequest): Promise<WorkerAnswer> => {
    requests.push(request)
    const { pathname, search } = new URL(request.path, 'http://localhost')
    const key = pathname.split('/').at(-1) ?? ''
    if (request.method === 'GET' && search !== '?task=tsk_00000000000000000000000001&fence=1.1')
      return refusal(403, 'FORBIDDEN')
    const current = values.get(key)
    if (request.method === 'GET') return current ? { status: 200, body: current } : refusal(404, 'NOT_FOUND')
    if (stale) return refusal(409, 'STALE_FENCE')
    const call = request.headers?.['idempotency-key'] ?? ''
    if (made.has(call)) return { status: 200, body: current }
    const match = request.headers?.['if-match']
    if (match !== undefined && match !== `"${current?.rev ?? ''}"`) return refusal(412, 'PRECONDITION_FAILED')
    return change(key, (request.body as Body).value, call)
  }
  return { values, requests, send }
}

const stateOver = (board: ReturnType<typeof aBoard>) => {
  const lost: string[] = []
  const { signal } = new AbortController()
  const access = {
    source: board,
    signal,
    mask: createMask(['hunter2-and-more']),
    lost: (reason: string) => void lost.push(reason),
  }
  const calls = createStateCalls(access, held)
  const state = createState('run_1', (name, argument) => (calls[name] as (given: unknown) => Promise<never>)(argument))
  return { state, lost }
}

describe('ctx.state', () => {
  it('reads, sets and changes values of the run, under the fence of the task', async () => {
    const board = aBoard()
    const { state } = stateOver(board)
    expect(await state.get('plan')).toBeUndefined()
    await state.set('plan', ['a'])
    expect(await state.update<string[]>('plan', (plan = []) => [...plan, 'b'])).toEqual(['a', 'b'])
    expect(await state.get('plan')).toEqual(['a', 'b'])
    const puts = board.requests.filter(({ method }) => method === 'PUT')
    expect(puts[0]).toMatchObject({ path: '/runs/run_1/state/plan', body: { value: ['a'], ...held } })
    expect(puts[0]?.headers).not.toHaveProperty('if-match')
    expect(puts[1]?.headers).toMatchObject({ 'if-match': '"r1"' })
  })

  it('loses no change of many that are made at once', async () => {
    const board = aBoard()
    const addOne = () => stateOver(board).state.update<number>('count', (count = 0) => count + 1)
    await Promise.all(Array.from({ length: 10 }, addOne))
    expect(board.values.get('count')?.value).toBe(10)
  })

  it('makes a change once whose answer was lost', async () => {
    const board = aBoard({ lose: 1 })
    expect(await stateOver(board).state.update<number>('count', (count = 0) => count + 1)).toBe(1)
    expect(board.values.get('count')?.value).toBe(1)
  })

  it('masks secrets, and refuses what is no JSON', async () => {
    const board = aBoard()
    const { state } = stateOver(board)
    await state.set('note', 'it is hunter2-and-more')
    expect(board.values.get('note')?.value).not.toContain('hunter2')
    await expect(state.set('note', undefined)).rejects.toThrow('the value of note is undefined')
    await expect(state.set('note', 1n)).rejects.toThrow('no JSON')
  })

  it('ends the attempt when the lease is lost, and fails a task of no run', async () => {
    const { state, lost } = stateOver(aBoard({ stale: true }))
    await expect(state.set('x', 1)).rejects.toThrow('STALE_FENCE')
    expect(lost).toHaveLength(1)
    await expect(createState(undefined, () => Promise.reject(new Error('asked'))).get('x')).rejects.toThrow('no run')
  })
})
