import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compile } from '#shared/workflow-language/compile/compile.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import { anApi, type TestApi } from '#test/support/api.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { eventually } from '#test/support/eventually.ts'
import { aRowWorker, type RowTask } from '#test/support/row-worker.ts'
import { aSkewedClock } from '#test/support/skewed-clock.ts'

let api: TestApi
let worker: Awaited<ReturnType<typeof aRowWorker>>
let broken = true
const undone: string[] = []
const work = (input: never, { capability }: RowTask) => {
  const value = input as { n?: number; say?: string } | null
  if (capability === 'undo') undone.push(String(value?.say))
  if (capability === 'flaky' && value?.n === 3 && broken)
    return { fails: { code: 'AGENT_ERROR', message: 'three is broken' } }
  return { result: value?.n ?? value }
}
beforeAll(async () => {
  api = await anApi()
  worker = await aRowWorker(api, 'hand', ['echo', 'flaky', 'undo', 'many'], work)
})
afterAll(async () => {
  await worker?.stop()
  await api?.close()
})

const start = async (definition: string, input?: unknown): Promise<string> => {
  const { status, body } = await api.post('/workflows', { definition })
  if (status >= 300) throw new Error(JSON.stringify(body).slice(0, 1000))
  return (await api.post(`/workflows/${body.name}/runs`, { input })).body.id
}
const ended = (id: string, seconds = 30) =>
  eventually(async () => {
    const { body } = await api.get(`/runs/${id}`)
    expect(['RUNNING', 'COMPENSATING']).not.toContain(body.state)
    return body
  }, seconds * 1000)
const ran = (capability: string) => worker.ran.filter((task) => task.capability === capability)

describe('a run', () => {
  it('maps over 10,000 items as one distributed task, each once and in order', async () => {
    const id = await start(`
workflow: ten-thousand
steps:
  - name: all
    kind: map
    distributed: true
    items: '{% [1..10000] %}'
    steps: [{ name: one, kind: task, capability: many, input: { n: '{% $item %}' } }]
  - { name: last, kind: task, capability: echo, input: '{% $all %}' }
`)
    expect(await ended(id, 280)).toMatchObject({ state: 'SUCCEEDED' })
    const { $ref = '' } = (ran('echo').at(-1)?.input ?? {}) as { $ref?: string }
    const stored = await api.platform.objects.get({ tenant: 'default', id: $ref })
    const results: unknown = await new Response(stored?.body).json()
    const inOrder = JSON.stringify(results) === JSON.stringify(Array.from({ length: 10_000 }, (_, at) => at + 1))
    expect(inOrder).toBe(true)
    expect(new Set(ran('many').map(({ input }) => (input as { n: number }).n)).size).toBe(10_000)
    expect(ran('many')).toHaveLength(10_000)
  }, 300_000)

  it('goes on in a map from the items that failed when it is redriven, and repeats no other', async () => {
    const id = await start(`
workflow: half-done
steps:
  - name: all
    kind: map
    items: [1, 2, 3, 4, 5]
    concurrency: 1
    steps:
      - { name: first, kind: task, capability: echo, input: { n: '{% $item %}' } }
      - { name: second, kind: task, capability: flaky, input: { n: '{% $first %}' } }
output: '{% $all %}'
`)
    expect(await ended(id)).toMatchObject({ state: 'FAILED', error: 'AGENT_ERROR', cause: 'three is broken' })
    const before = [ran('echo').length, ran('flaky').length]
    broken = false
    await api.post(`/runs/${id}/redrive`)
    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', output: [1, 2, 3, 4, 5], redrives: 1 })
    const [echoes = 0, flaky = 0] = before
    expect(ran('echo').length - echoes).toBe(2)
    expect(ran('flaky').length - flaky).toBe(3)
  })

  it('cannot be stopped while it is undone, and undoes everything once all the same', async () => {
    const undo = (name: string) =>
      `{ name: ${name}, kind: task, capability: echo, input: 1, compensate: [{ name: hold_${name}, kind: task, capability: hold }, { name: un${name}, kind: task, capability: undo, input: { say: ${name} } }] }`
    const id = await start(`
workflow: undone
steps:
  - ${undo('a')}
  - ${undo('b')}
  - { name: no, kind: fail, error: NOT_NOW }
`)
    await eventually(async () => expect((await api.get(`/runs/${id}`)).body.state).toBe('COMPENSATING'))
    expect(await api.post(`/runs/${id}/stop`)).toMatchObject({ status: 409, body: { code: 'CONFLICT' } })
    const holder = await aRowWorker(api, 'holder', ['hold'], () => ({ result: null })) // nobody was there before
    const run = await ended(id)
    await holder.stop()
    expect(run).toMatchObject({ state: 'FAILED', error: 'NOT_NOW' })
    expect(run.undone).toEqual([
      { step: 'b', undone: true },
      { step: 'a', undone: true },
    ])
    expect(undone).toEqual(['b', 'a'])
    expect((await api.post(`/runs/${id}/stop`)).body.code).toBe('ALREADY_FINISHED')
  })

  it('has 1,000 steps', async () => {
    const steps = Array.from({ length: 1000 }, (_, at) => `  - { name: s${at}, kind: set, value: ${at} }`)
    const run = await ended(
      await start(`workflow: long\nsteps:\n${steps.join('\n')}\noutput: '{% $s0 + $s999 %}'\n`),
      60,
    )
    expect(run).toMatchObject({ state: 'SUCCEEDED', output: 999 })
  }, 90_000)

  it('has 30 levels', async () => {
    const nest = (level: number): string =>
      level === 30
        ? '{ name: s30, kind: task, capability: echo, input: deep }'
        : `{ name: s${level}, kind: parallel, branches: { in: [${nest(level + 1)}] } }`
    const run = await ended(await start(`workflow: deep\nsteps: [${nest(1)}]\noutput: '{% $string($s1) %}'`))
    expect(run.state).toBe('SUCCEEDED')
    expect(run.output).toBe(`${'{"in":'.repeat(29)}"deep"${'}'.repeat(29)}`)
  })

  it.each([
    ['time', '($f := function($n) { $f($n + 1) }; $f(1))'],
    ['memory', '($f := function($s) { $length($s) > 1e9 ? $s : $f($s & $s) }; $f("xxxxxxxx"))'],
    ['matching', `$match("${'a'.repeat(40)}!", /^(a+)+$/)`],
  ])(
    'ends with an expression that takes all the %s there is, and others go on meanwhile',
    async (_, loop) => {
      const looping = await start(`workflow: looping\nsteps: [{ name: s, kind: set, value: '{% ${loop} %}' }]`)
      const other = await start('workflow: quick\nsteps: [{ name: s, kind: set, value: 1 }]')
      expect(await ended(other)).toMatchObject({ state: 'SUCCEEDED', output: 1 })
      expect(await ended(looping)).toMatchObject({ state: 'FAILED', error: 'States.QueryEvaluationError' })
    },
    60_000,
  )

  it('says in why whose agent has disappeared', async () => {
    await api.post('/agents', { name: 'fleeting', capabilities: [{ name: 'fleeting.do' }] })
    const { instanceId, token } = (await api.post('/instances', { agent: 'fleeting' })).body
    const id = await start('workflow: left\nsteps: [{ name: alone, kind: task, agent: fleeting }]')
    const why = async () => (await api.get(`/runs/${id}/why`)).body
    await api.request('DELETE', `/instances/${instanceId}`, { key: token })
    await eventually(async () => {
      const { steps, message } = await why()
      expect(steps[0]).toMatchObject({ name: 'alone', code: 'NO_INSTANCE' })
      expect(message).toContain('fleeting')
    })
    await api.request('DELETE', '/agents/fleeting')
    const lost = { code: 'NO_CAPABLE_AGENT', message: expect.stringContaining('no agent offers fleeting.do') }
    await eventually(async () => expect((await why()).steps[0]).toMatchObject(lost))
    await api.post(`/runs/${id}/stop`)
    expect(await ended(id)).toMatchObject({ state: 'STOPPED' })
  })
})

describe('a token', () => {
  it('is taken once, and not after the end of its run', async () => {
    const { definition } = validate('workflow: held\nsteps: [{ name: s, kind: approval, prompt: x }]')
    if (definition === undefined) throw new Error('it has no definition')
    const { run: asl } = compile(definition)
    const tokens: string[] = []
    const folder = await aPlatform()
    await folder.platform.workflows.deploy({ tenant: 't', workflow: 'held', version: '1', asl })
    const serving = folder.platform.workflows.serve({
      onCommand: async (body) => void tokens.push((body as { token: string }).token),
      onEnd: async () => undefined,
    })
    const ref = { tenant: 't', workflow: 'held', run: 'one' }
    await folder.platform.workflows.start({ ...ref, version: '1', input: {} })
    await eventually(() => expect(tokens).toHaveLength(1))
    const [token = ''] = tokens
    expect(await folder.platform.workflows.succeed(token, 1)).toEqual({ ok: true })
    expect(await folder.platform.workflows.succeed(token, 2)).toEqual({ ok: false, reason: 'OVER' })
    expect(await folder.platform.workflows.fail(token, { error: 'late' })).toEqual({ ok: false, reason: 'OVER' })
    expect(await folder.platform.workflows.describe(ref)).toMatchObject({ status: 'SUCCEEDED', output: 1 })
    await serving.stop()
    await folder.close()
  })
})

describe('a wait of days', () => {
  it('is over when its time is, whatever the number of restarts, and not before', async () => {
    const home = await mkdtemp(join(tmpdir(), 'devcycle-wait-'))
    const clock = aSkewedClock()
    const { definition } = validate('workflow: patient\nsteps: [{ name: rest, kind: wait, for: 30d }]')
    if (definition === undefined) throw new Error('it has no definition')
    const ref = { tenant: 't', workflow: 'patient', run: 'one' }
    const during = async (check: (status: string | undefined) => Promise<void>, begin = false): Promise<void> => {
      const { platform, close } = await aPlatform(home, clock)
      if (begin) {
        await platform.workflows.deploy({
          ...ref,
          version: '1',
          asl: { ...compile(definition).run, TimeoutSeconds: 9e6 },
        })
        await platform.workflows.start({ ...ref, version: '1', input: {} })
      }
      try {
        await eventually(async () => check((await platform.workflows.describe(ref))?.status))
      } finally {
        await close()
      }
    }
    try {
      await during(async (status) => expect(status).toBe('RUNNING'), true)
      for (let restarts = 0; restarts < 3; restarts++) {
        clock.forward(9 * 86_400_000)
        await during(async (status) => expect(status).toBe('RUNNING'))
      }
      clock.forward(3 * 86_400_000 + 1000)
      await during(async (status) => expect(status).toBe('SUCCEEDED'))
    } finally {
      await rm(home, { recursive: true, force: true })
    }
  })
})
