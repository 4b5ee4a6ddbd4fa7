import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Workflows } from '#shared/platform/platform.ts'
import { aMachine, aMap, aNotice, aParallel, aPass, aStep } from '#test/support/machines.ts'
import { type Commands, createRuns, type Runs } from '#test/support/runs.ts'
import { type Cannot, contractTest } from './contract-test.ts'

export type WorkflowsUnderTest = { workflows: Workflows; commands: Commands; close: () => Promise<void> }

const refused = { ok: false }

/** What `Workflows` promises. */
export const workflowsContract = (
  name: string,
  make: () => Promise<WorkflowsUnderTest>,
  { cannot }: { cannot?: Cannot } = {},
): void => {
  describe(`workflows: ${name}`, () => {
    const it = contractTest(cannot, { concurrent: true })
    const context: { made?: WorkflowsUnderTest; runs?: Runs } = {}
    const workflows = (): Workflows => context.made?.workflows as Workflows
    const runs = (): Runs => context.runs as Runs
    beforeAll(async () => {
      context.made = await make()
      context.runs = createRuns(context.made.workflows, context.made.commands)
    })
    afterAll(() => context.made?.close())

    it('runs from state to state, and gives what the last one gives', async () => {
      const asl = aMachine({
        First: aPass({
          Assign: { word: '{% $states.input.name %}' },
          Output: { length: '{% $length($states.input.name) %}' },
        }),
        Second: aPass({ Output: "{% $word & ':' & $string($states.input.length) %}" }),
      })
      expect(await runs().outcome(asl, { name: 'größer 🙂' })).toMatchObject({
        status: 'SUCCEEDED',
        input: { name: 'größer 🙂' },
        output: 'größer 🙂:8',
      })
    })

    it('gives lists with lists in them as they are written, part by part', async () => {
      const asl = aMachine({
        First: aPass({ Assign: { list: [1, 2], lists: [['{% $states.input %}'], '{% $states.input %}'] } }),
        Second: { Type: 'Succeed', Output: [[1, 2], ['{% $list %}'], '{% $list %}', '{% $lists %}', 3] },
      })
      const output = [[1, 2], [[1, 2]], [1, 2], [[[7]], [7]], 3]
      expect(await runs().outcome(asl, [7])).toMatchObject({ status: 'SUCCEEDED', output })
    })

    it('waits for the answer of a step, and goes on with it', async () => {
      const run = await runs().begin(
        aMachine({ Ask: aStep({ Output: { was: '{% $states.result.ok %}' } }, { question: '{% $states.input.q %}' }) }),
        { q: 42 },
      )
      const command = await runs().succeed(run, { ok: true })
      expect(command).toMatchObject({ run: run.run, step: 'Ask', question: 42 })
      expect(await runs().end(run)).toMatchObject({ status: 'SUCCEEDED', output: { was: true } })
    })

    it('sends what nobody waits for, and goes on at once', async () => {
      const run = await runs().begin(aMachine({ Tell: aNotice({ Output: 'told' }, { n: 1 }) }))
      expect(await runs().next(run)).toMatchObject({ step: 'Tell', n: 1 })
      expect(await runs().end(run)).toMatchObject({ status: 'SUCCEEDED', output: 'told' })
    })

    it('takes a token once', async () => {
      const run = await runs().begin(aMachine({ Ask: aStep() }))
      const { token } = await runs().succeed(run, 1)
      await runs().end(run)
      expect(await workflows().succeed(token, 2)).toMatchObject(refused)
      expect(await workflows().fail(token, { error: 'Late' })).toMatchObject(refused)
      expect(await workflows().heartbeat(token)).toMatchObject(refused)
      expect(await workflows().succeed('never given', 1)).toEqual({ ok: false, reason: 'UNKNOWN' })
    })

    it('tells a token that is over from one that never was', async () => {
      const run = await runs().begin(aMachine({ Ask: aStep() }))
      const { token } = await runs().succeed(run, 1)
      expect(await workflows().succeed(token, 2)).toEqual({ ok: false, reason: 'OVER' })
    })

    it('takes one of two answers that come at once', async () => {
      const run = await runs().begin(aMachine({ Ask: aStep() }))
      const { token } = await runs().next(run)
      const answers = await Promise.all([workflows().succeed(token, 'a'), workflows().succeed(token, 'b')])
      expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
      expect((await runs().end(run)).output).toBe(answers[0]?.ok ? 'a' : 'b')
    })

    it('fails with the error that a step fails with', async () => {
      const run = await runs().begin(aMachine({ Ask: aStep() }))
      await runs().fail(run, 'Broken', 'no bread')
      expect(await runs().end(run)).toMatchObject({ status: 'FAILED', error: 'Broken', cause: 'no bread' })
    })

    it('tries again as often as its policy says, then goes where it is caught', async () => {
      const Retry = [{ ErrorEquals: ['Flaky'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 }]
      const Catch = [{ ErrorEquals: ['Flaky'], Next: 'Mend', Assign: { why: '{% $states.errorOutput.Cause %}' } }]
      const run = await runs().begin(
        aMachine({
          Ask: aStep({ Retry, Catch, End: true }, { attempt: '{% $states.context.State.RetryCount %}' }),
          Mend: aPass({ Output: { why: '{% $why %}', error: '{% $states.input.Error %}' } }),
        }),
      )
      const attempts = []
      for (let at = 0; at < 3; at++) attempts.push((await runs().fail(run, 'Flaky', `try ${at}`)).attempt)
      expect(attempts).toEqual([0, 1, 2])
      expect((await runs().end(run)).output).toEqual({ why: 'try 2', error: 'Flaky' })
    })

    it('does not try again what no retrier names', async () => {
      const Retry = [{ ErrorEquals: ['Flaky'], IntervalSeconds: 1 }]
      const run = await runs().begin(aMachine({ Ask: aStep({ Retry }) }))
      await runs().fail(run, 'Other')
      expect(await runs().end(run)).toMatchObject({ status: 'FAILED', error: 'Other' })
    })

    it('ends a step that takes too long with States.Timeout', async () => {
      const Catch = [{ ErrorEquals: ['States.Timeout'], Next: 'Late', Output: '{% $states.errorOutput.Error %}' }]
      const run = await runs().begin(aMachine({ Ask: aStep({ TimeoutSeconds: 1, Catch, End: true }), Late: aPass() }))
      const { token } = await runs().next(run)
      expect(await runs().end(run)).toMatchObject({ status: 'SUCCEEDED', output: 'States.Timeout' })
      expect(await workflows().succeed(token, 1)).toMatchObject(refused)
    })

    it('ends a step without heartbeats with States.HeartbeatTimeout', async () => {
      const run = await runs().begin(aMachine({ Ask: aStep({ HeartbeatSeconds: 2 }) }))
      const { token } = await runs().next(run)
      expect(await workflows().heartbeat(token)).toEqual({ ok: true })
      expect(await runs().end(run)).toMatchObject({ status: 'FAILED', error: 'States.HeartbeatTimeout' })
    })

    it('waits for seconds and for a time', async () => {
      const asl = aMachine({
        Seconds: { Type: 'Wait', Seconds: '{% $states.input.s %}' },
        Time: { Type: 'Wait', Timestamp: '{% $states.input.t %}' },
      })
      const t = new Date(Date.now() + 2000).toISOString()
      const { startedAt, stoppedAt = 0 } = await runs().outcome(asl, { s: 1, t })
      expect(stoppedAt - startedAt).toBeGreaterThanOrEqual(1000)
      expect(stoppedAt).toBeGreaterThanOrEqual(Date.parse(t) - 999) // a host may count whole seconds
    })

    it('chooses the first condition that holds, with what it gives and assigns', async () => {
      const asl = aMachine({
        Which: {
          Type: 'Choice',
          Choices: [
            { Condition: '{% $states.input.n > 10 %}', Next: 'Many', Output: 'many' },
            { Condition: '{% $states.input.n > 5 %}', Next: 'Some', Assign: { found: '{% $states.input.n %}' } },
          ],
          Default: 'Few',
        },
        Many: { Type: 'Succeed' },
        Some: { Type: 'Succeed', Output: '{% $found %}' },
        Few: { Type: 'Fail', Error: 'TooFew', Cause: "{% 'only ' & $string($states.input.n) %}" },
      })
      expect(await runs().outcome(asl, { n: 11 })).toMatchObject({ output: 'many' })
      expect(await runs().outcome(asl, { n: 6 })).toMatchObject({ output: 6 })
      expect(await runs().outcome(asl, { n: 1 })).toMatchObject({ status: 'FAILED', error: 'TooFew', cause: 'only 1' })
    })

    it('fails with States.NoChoiceMatched when nothing holds', async () => {
      const Choices = [{ Condition: '{% false %}', Next: 'Never' }]
      const asl = aMachine({ Which: { Type: 'Choice', Choices }, Never: aPass() })
      expect(await runs().outcome(asl)).toMatchObject({ status: 'FAILED', error: 'States.NoChoiceMatched' })
    })

    it('runs branches beside each other, and gathers what they give in their order', async () => {
      const run = await runs().begin(
        aMachine({ Both: aParallel([{ Left: aStep() }, { Right: aPass({ Output: '{% $states.input.x %}' }) }]) }),
        { x: 1 },
      )
      await runs().succeed(run, 'left', 'Left')
      expect(await runs().end(run)).toMatchObject({ status: 'SUCCEEDED', output: ['left', 1] })
    })

    it('ends the other branches with the first that fails', async () => {
      const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'Mend' }]
      const run = await runs().begin(
        aMachine({
          Both: aParallel([{ Left: aStep() }, { Right: aStep() }], { Catch, End: true }),
          Mend: aPass({ Output: '{% $states.input.Error %}' }),
        }),
      )
      const right = await runs().next(run, 'Right')
      await runs().fail(run, 'Broken', 'x', 'Left')
      expect(await runs().end(run)).toMatchObject({ status: 'SUCCEEDED', output: 'Broken' })
      expect(await workflows().succeed(right.token, 1)).toMatchObject(refused)
    })

    it('maps over items, with their index, some at once', async () => {
      const each = {
        Items: '{% $states.input.items %}',
        ItemSelector: { at: '{% $states.context.Map.Item.Index %}', value: '{% $states.context.Map.Item.Value %}' },
        MaxConcurrency: 2,
      }
      const ask = aStep({}, { at: '{% $states.input.at %}', value: '{% $states.input.value %}' })
      const times = aPass({ Output: '{% $states.input * $factor %}' })
      const run = await runs().begin(
        aMachine({ Set: aPass({ Assign: { factor: 10 } }), Each: aMap({ Ask: ask, Times: times }, each) }),
        { items: ['a', 'b', 'c'] },
      )
      for (let count = 0; count < 3; count++) {
        const { token, at, value } = await runs().next(run, 'Ask')
        expect(value).toBe('abc'[at as number])
        await workflows().succeed(token, (at as number) + 1)
      }
      expect(await runs().end(run)).toMatchObject({ status: 'SUCCEEDED', output: [10, 20, 30] })
    })

    it('maps over nothing', async () => {
      const asl = aMachine({ Each: aMap({ Ask: aStep() }, { Items: [] }) })
      expect(await runs().outcome(asl)).toMatchObject({ status: 'SUCCEEDED', output: [] })
    })

    it('fails with the item that fails', async () => {
      const Each = aMap({ Check: { Type: 'Fail', Error: 'Bad', Cause: '{% $string($states.input) %}' } })
      expect(await runs().outcome(aMachine({ Each }), [7])).toMatchObject({
        status: 'FAILED',
        error: 'Bad',
        cause: '7',
      })
    })

    it('hides what a branch assigns from the others, and shows them what was there before', async () => {
      const branch = (n: number) => ({
        Assign: aPass({ Assign: { own: n } }),
        Read: aPass({ Output: '{% $own + $outer %}' }),
      })
      const asl = aMachine({ Set: aPass({ Assign: { outer: 10 } }), Both: aParallel([branch(1), branch(2)]) })
      expect((await runs().outcome(asl)).output).toEqual([11, 12])
    })

    it('fails with States.QueryEvaluationError for an expression that cannot be evaluated', async () => {
      const asl = aMachine({ Bad: aPass({ Output: '{% $states.input.a + "text" %}' }) })
      expect(await runs().outcome(asl, { a: 1 })).toMatchObject({
        status: 'FAILED',
        error: 'States.QueryEvaluationError',
      })
    })

    it('starts a run once, however often it is started', async () => {
      const asl = aMachine({ Ask: aStep() })
      const run = await runs().begin(asl, { n: 1 })
      await Promise.all([runs().begin(asl, { n: 1 }, run), runs().begin(asl, { n: 2 }, run)])
      await runs().succeed(run, 'once')
      const ended = await runs().end(run)
      await runs().begin(asl, { n: 3 }, run)
      expect(await workflows().describe(run)).toEqual(ended)
      expect(ended).toMatchObject({ status: 'SUCCEEDED', input: { n: 1 }, output: 'once' })
      expect((await runs().history(run)).filter(({ type }) => type === 'ExecutionStarted')).toHaveLength(1)
    })

    it('keeps runs on their version, and versions as they were deployed first', async () => {
      const run = await runs().begin(aMachine({ Ask: aStep(), Say: aPass({ Output: 'one' }) }))
      const other = { ...run, run: `${run.run}-2` }
      const workflow = { tenant: run.tenant, workflow: run.workflow }
      await workflows().deploy({ ...workflow, version: '2', asl: aMachine({ Say: aPass({ Output: 'two' }) }) })
      await workflows().deploy({ ...workflow, version: '1', asl: aMachine({ Say: aPass({ Output: 'changed' }) }) })
      await workflows().start({ ...other, version: '2', input: {} })
      expect(await runs().end(other)).toMatchObject({ version: '2', output: 'two' })
      await runs().succeed(run, 1)
      expect(await runs().end(run)).toMatchObject({ version: '1', output: 'one' })
    })

    it('refuses versions that were not deployed, and definitions that are none', async () => {
      const unknown = { tenant: 'acme', workflow: 'nobody-made-this', run: 'r', version: '7', input: {} }
      await expect(workflows().start(unknown)).rejects.toMatchObject({ code: 'INVALID' })
      const wrong = { tenant: 'acme', workflow: 'wrong', version: '1', asl: { StartAt: 'Nowhere', States: {} } }
      await expect(workflows().deploy(wrong)).rejects.toMatchObject({ code: 'INVALID' })
    })

    it('keeps tenants apart', async () => {
      const run = await runs().begin(aMachine({ Say: aPass() }))
      await runs().end(run)
      expect(await workflows().describe({ ...run, tenant: 'other' })).toBeUndefined()
      expect(await workflows().history({ ...run, tenant: 'other' }, {})).toEqual({ events: [] })
    })

    it('stops a run, and what its steps say then is over', async () => {
      const run = await runs().begin(aMachine({ Ask: aStep() }))
      const { token } = await runs().next(run)
      await workflows().stop(run, { error: 'Unwanted', cause: 'not any more' })
      expect(await runs().end(run)).toMatchObject({ status: 'ABORTED', error: 'Unwanted', cause: 'not any more' })
      expect(await workflows().succeed(token, 1)).toMatchObject(refused)
      await workflows().stop(run, { error: 'Again' })
      expect(await workflows().describe(run)).toMatchObject({ status: 'ABORTED', error: 'Unwanted' })
    })

    it('ends a run that takes longer than its machine may', async () => {
      const run = await runs().begin(aMachine({ Ask: aStep() }, { TimeoutSeconds: 1 }))
      expect(await runs().end(run)).toMatchObject({ status: 'TIMED_OUT' })
    })

    it('tells what happened, in order and by page', async () => {
      const run = await runs().begin(aMachine({ Ask: aStep(), Say: aPass({ Output: 'said' }) }), { n: 1 })
      await runs().succeed(run, { ok: 1 })
      await runs().end(run)
      const events = await runs().history(run)
      const about = events.filter(({ type }) => /Entered|Exited|^TaskScheduled|^TaskSucceeded|^Execution/.test(type))
      expect(about.map(({ type }) => type)).toEqual([
        'ExecutionStarted',
        'TaskStateEntered',
        'TaskScheduled',
        'TaskSucceeded',
        'TaskStateExited',
        'PassStateEntered',
        'PassStateExited',
        'ExecutionSucceeded',
      ])
      expect(events.find(({ type }) => type === 'TaskStateEntered')).toMatchObject({ name: 'Ask', input: { n: 1 } })
      expect(events.at(-1)).toMatchObject({ output: 'said' })
      expect(events.map(({ id }) => id)).toEqual(events.map((_, at) => at + 1))
    })

    it('tells what happened last first', async () => {
      const run = await runs().begin(aMachine({ Say: aPass({ Output: 'said' }) }))
      await runs().end(run)
      const { events, cursor } = await workflows().history(run, { limit: 2, order: 'descending' })
      expect(events.map(({ type }) => type)).toEqual(['ExecutionSucceeded', 'PassStateExited'])
      const next = await workflows().history(run, { limit: 2, order: 'descending', cursor })
      expect(next.events.map(({ type }) => type)).toEqual(['PassStateEntered', 'ExecutionStarted'])
      expect(next.cursor).toBeUndefined()
      const bare = await workflows().history(run, { bare: true })
      expect(bare.events.map(({ type }) => type)).toEqual([...events, ...next.events].map(({ type }) => type).reverse())
      for (const event of bare.events) for (const data of ['input', 'output']) expect(event).not.toHaveProperty(data)
    })

    it('tells in which state an expression failed', async () => {
      const run = await runs().begin(aMachine({ Say: aPass({ Output: '{% $nowhere.at %}' }) }))
      const { error, cause } = await runs().end(run)
      const failed = (await runs().history(run)).find(({ type }) => type === 'EvaluationFailed')
      expect(failed).toMatchObject({ name: 'Say', error, cause })
    })

    it('tells whoever follows what comes behind an event, as soon as it has happened', async () => {
      const run = await runs().begin(aMachine({ Ask: aStep(), Say: aPass({ Output: 'said' }) }), { n: 1 })
      await runs()
        .next(run, 'Ask')
        .then((command) => {
          setTimeout(() => void workflows().succeed(command.token, { ok: 1 }), 300)
        })
      const seen: { id: number; type: string }[] = []
      while (seen.at(-1)?.type !== 'ExecutionSucceeded')
        seen.push(...(await workflows().eventsAfter(run, seen.at(-1)?.id ?? 0, { ms: 20_000 })))
      expect(seen.map(({ id }) => id)).toEqual(seen.map((_, at) => at + 1))
      expect(seen.filter((event) => 'input' in event || 'output' in event)).toEqual([])
      expect(await workflows().eventsAfter(run, seen.length, { ms: 0 })).toEqual([])
      expect(await workflows().eventsAfter({ ...run, run: 'never-was' }, 0, { ms: 50 })).toEqual([])
    })

    it('lets go whoever follows and leaves', async () => {
      const run = await runs().begin(aMachine({ Ask: aStep() }))
      await runs().next(run, 'Ask')
      const before = await workflows().eventsAfter(run, 0, { ms: 0 })
      const leaving = new AbortController()
      const events = workflows().eventsAfter(run, before.at(-1)?.id ?? 0, { ms: 60_000, signal: leaving.signal })
      leaving.abort()
      expect(await events).toEqual([])
    })

    it('redrives a run from the step that failed', async () => {
      const run = await runs().begin(
        aMachine({ First: aStep(), Both: aParallel([{ Left: aStep() }, { Right: aStep() }]) }),
      )
      expect(await workflows().redrive(run)).toBe(false)
      await runs().succeed(run, 'first', 'First')
      await runs().succeed(run, 'left', 'Left')
      await runs().fail(run, 'Broken', 'x', 'Right')
      expect(await runs().end(run)).toMatchObject({ status: 'FAILED' })
      expect(await workflows().redrive(run)).toBe(true)
      expect(await workflows().describe(run)).toMatchObject({ status: 'RUNNING' })
      await runs().succeed(run, 'right', 'Right')
      expect(await runs().end(run)).toMatchObject({ status: 'SUCCEEDED', output: ['left', 'right'] })
      expect(await workflows().redrive(run)).toBe(false)
    })

    it('refuses an output that no host could take', async () => {
      const run = await runs().begin(aMachine({ Ask: aStep() }))
      const { token } = await runs().next(run)
      await expect(workflows().succeed(token, 'x'.repeat(300_000))).rejects.toMatchObject({ code: 'TOO_LARGE' })
      expect(await workflows().succeed(token, 'x'.repeat(200_000))).toEqual({ ok: true })
      expect((await runs().end(run)).output).toHaveLength(200_000)
    })
  })
}
