import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openMemory, sealMemory } from '#agent/runner/slot-memory.ts'
import { createPeople } from '#agent/runner/slot-people.ts'

type Ctx = ReturnType<typeof createPeople>
type Handler = (ctx: Ctx) => Promise<unknown>

/** Runs a handler as a platform does: from its start with each answer, until it ends. */
const play = async (handler: Handler, answer: (prompt: unknown) => unknown, most = 10) => {
  const prompts: unknown[] = []
  let stored: { checkpoint: unknown; resume?: { kind: string; response: unknown; by: string } } = { checkpoint: null }
  for (let run = 0; run < most; run++) {
    const asked = Promise.withResolvers<{ waits: true }>()
    const ctx = createPeople(stored, {
      wait({ prompt, kind, checkpoint }) {
        prompts.push(prompt)
        stored = structuredClone({ checkpoint, resume: { kind, response: answer(prompt), by: 'key:a' } })
        asked.resolve({ waits: true })
        return new Promise(() => undefined)
      },
      inputs: async () => ({ records: [], ended: true }),
    })
    const end = await Promise.race([handler(ctx).then((result) => ({ result })), asked.promise])
    if ('result' in end) return { result: end.result, prompts, checkpoint: stored.checkpoint }
  }
  throw new Error(`it did not end within ${most} runs`)
}

describe('what people are asked', () => {
  it('is asked once each, and answered in every later run', async () => {
    const { result, prompts } = await play(
      async (ctx) => {
        const name = await ctx.requestInput({ prompt: 'name?' })
        const good = await ctx.approve(`greet ${name}?`, { onReject: 'resume' })
        return [name, good, await ctx.requestInput({ prompt: 'and then?' })]
      },
      (prompt) => (prompt === 'name?' ? 'Ada' : prompt === 'greet Ada?' ? { approved: true } : 'done'),
    )
    expect(result).toEqual(['Ada', true, 'done'])
    expect(prompts).toEqual(['name?', 'greet Ada?', 'and then?'])
  })

  it('is matched by what is asked, not by its place: a handler may skip what its checkpoint has', async () => {
    const { result } = await play(
      async (ctx) => {
        if (ctx.lastCheckpoint === null) {
          const a = await ctx.requestInput({ prompt: 'a' })
          return await ctx.requestInput({ prompt: 'b', checkpoint: { a } })
        }
        return [ctx.lastCheckpoint, await ctx.requestInput({ prompt: 'b' })]
      },
      (prompt) => `${prompt}!`,
    )
    expect(result).toEqual([{ a: 'a!' }, 'b!'])
  })

  it('may be asked side by side', async () => {
    const ask = ['x', 'y', 'z']
    const { result, prompts } = await play(
      (ctx) => Promise.all(ask.map((prompt) => ctx.requestInput({ prompt }))),
      (prompt) => prompt,
    )
    expect(result).toEqual(ask)
    expect(prompts).toEqual(ask)
  })

  it('with a key may differ from run to run; without one it is noticed soon', async () => {
    let run = 0
    const keyed = (ctx: Ctx) => ctx.requestInput({ key: 'k', prompt: `at ${++run}` })
    expect((await play(keyed, () => 7)).result).toBe(7)
    const loose = (ctx: Ctx) => ctx.requestInput({ prompt: `at ${++run}` })
    await expect(play(loose, () => 7)).rejects.toThrow('needs a key')
  })

  it('is refused when a run asks the same twice', async () => {
    const twice = async (ctx: Ctx) => [
      await ctx.requestInput({ prompt: 'again?' }),
      await ctx.requestInput({ prompt: 'again?' }),
    ]
    await expect(play(twice, () => 1)).rejects.toMatchObject({ message: /asked twice/, retryable: false })
  })

  it('is not answered with what was said to another kind of question', async () => {
    let kind: 'input' | 'approval' = 'approval'
    const handler = (ctx: Ctx) => {
      const asked = ctx.requestInput({ key: 'k', kind, prompt: 'ok?' })
      kind = 'input'
      return asked
    }
    await expect(play(handler, () => ({ approved: true }))).rejects.toThrow('was of kind approval')
  })

  it('fails where the platform refuses it, for all who ask', async () => {
    const ctx = createPeople(
      { checkpoint: null },
      { wait: () => Promise.reject(new Error('refused')), inputs: async () => ({ records: [], ended: true }) },
    )
    const asked = await Promise.allSettled([ctx.requestInput({ prompt: 1 }), ctx.requestInput({ prompt: 2 })])
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })
})

describe('the input stream of a handler', () => {
  const records = Array.from({ length: 25 }, (_, at) => ({ seq: at + 1, value: at }))
  const open = (checkpoint: unknown) =>
    createPeople(
      { checkpoint },
      {
        wait: () => new Promise(() => undefined),
        inputs: async ({ after }) => ({ records: records.slice(after, after + 4), ended: after + 4 >= records.length }),
      },
    )

  it('goes on behind the last record that a checkpoint covers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 6 }), async (crashes) => {
        let checkpoint: unknown = null
        const sums: number[] = []
        for (const after of [...crashes, Number.POSITIVE_INFINITY]) {
          const ctx = open(structuredClone(checkpoint))
          let sum = (ctx.lastCheckpoint as number | null) ?? 0
          let count = 0
          for await (const { value } of ctx.inputs) {
            if (++count > after) break
            sum += value as number
            checkpoint = ctx.seal(sum)
          }
          sums.push(sum)
        }
        expect(sums.at(-1)).toBe(300)
      }),
      { numRuns: 50 },
    )
  })

  it('hands out a record that no checkpoint covers again, and can be read on by another loop', async () => {
    const ctx = open(null)
    for await (const { seq } of ctx.inputs) if (seq === 3) break
    const stored = ctx.seal('x')
    for await (const { seq } of ctx.inputs) {
      expect(seq).toBe(4)
      break
    }
    for await (const { seq } of open(structuredClone(stored)).inputs) {
      expect(seq).toBe(4)
      break
    }
  })
})

describe('a checkpoint', () => {
  it('is stored as the handler gave it while there is nothing else to know', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const sealed = sealMemory({ value, answers: [], position: 0 })
        expect(openMemory(sealed, undefined).value).toEqual(value)
        expect(openMemory(sealMemory({ value: sealed, answers: [], position: 3 }), undefined).value).toEqual(value)
      }),
    )
    expect(sealMemory({ value: { a: 1 }, answers: [], position: 0 })).toEqual({ a: 1 })
  })

  it('that looks like a sealed one comes back as it was given', () => {
    const value = { $devcycle: 1, value: 'mine' }
    expect(openMemory(sealMemory({ value, answers: [], position: 0 }), undefined).value).toEqual(value)
  })

  it('takes an answer only for the question that it was made with', () => {
    const before = { value: 1, answers: [], position: 0 }
    const resume = { response: 'r' }
    const asked = sealMemory({ ...before, pending: { key: 'k', kind: 'input', named: true } })
    expect(openMemory(asked, resume).answers).toEqual([{ key: 'k', kind: 'input', named: true, response: 'r' }])
    expect(openMemory(asked, undefined).answers).toEqual([])
    expect(openMemory(sealMemory({ ...before, position: 1 }), resume).answers).toEqual([])
  })
})
