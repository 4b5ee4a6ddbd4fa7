import { afterAll, expect, it } from 'vitest'
import type { Step } from '#shared/contracts/workflows/definition.ts'
import { compile } from '#shared/workflow-language/compile/compile.ts'
import { flowNames } from '#shared/workflow-language/steps.ts'
import { validate } from '#shared/workflow-language/validate/validate.ts'
import { createSeeded, type Seeded } from '#test/sim/engine/random.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { eventually } from '#test/support/eventually.ts'

const { platform, close } = await aPlatform()
const { workflows } = platform
workflows.serve({ onCommand: async () => undefined, onEnd: async () => undefined })
afterAll(close)

const seeds = 50

type Drawing = { random: Seeded; names: { next: number }; depth: number }

/** What some of the variables have, as far as 40 characters tell of it. */
const looking = ({ random }: Drawing, visible: string[]): string => {
  const seen = Array.from({ length: 1 + random.below(3) }, () => `$${random.pick(['input', ...visible])}`)
  return `$substring($string([${seen.join(', ')}, ${random.below(100)}]), 0, 40)`
}
const expression = (code: string): string => `{% ${code} %}`

type Draw = (drawing: Drawing, name: string, visible: string[]) => Step
const set: Draw = (drawing, name, visible) => ({ name, kind: 'set', value: expression(looking(drawing, visible)) })
const choice: Draw = (drawing, name, visible) => ({
  name,
  kind: 'choice',
  cases: [
    { when: expression(`$length(${looking(drawing, visible)}) % 2 = 0`), steps: drawSteps(drawing, visible) },
    { when: expression(`$length(${looking(drawing, visible)}) % 3 = 0`), steps: drawSteps(drawing, visible) },
  ],
  ...(drawing.random.chance(0.5) && { otherwise: drawSteps(drawing, visible) }),
})
const repeat: Draw = (drawing, name, visible) => {
  const { random, names } = drawing
  const round = `${name}Round`
  const again = drawSteps(drawing, [...visible, round])
  const looked = set(drawing, `s${names.next++}`, [...visible, round, ...flowNames(again)])
  return {
    name,
    kind: 'repeat',
    until: expression(`$${round} >= ${1 + random.below(5)} or $length($string($${again.at(-1)?.name})) > 60`),
    atMost: 6,
    steps: random.chance(0.5) ? [...again, looked] : [looked, ...again],
  }
}
const map: Draw = (drawing, name, visible) => ({
  name,
  kind: 'map',
  items: [1, 2, 3].slice(drawing.random.below(3)),
  as: `${name}_item`,
  steps: [set(drawing, `s${drawing.names.next++}`, [...visible, `${name}_item`])],
})
const caught: Draw = (drawing, name, visible) => ({
  ...map(drawing, name, visible),
  ...(drawing.random.chance(0.7) && { output: expression('$error("no")') }),
  catch: [
    { errors: ['NEVER'], steps: drawSteps(drawing, visible) },
    { steps: drawSteps(drawing, [...visible, `${name}Error`]) },
  ],
})

const draws: Draw[] = [set, set, choice, repeat, repeat, map, caught]
const drawsAt = (depth: number): Draw[] => (depth < 2 ? draws : depth < 3 ? [set, set, choice, caught] : [set])
const drawSteps = (drawing: Drawing, before: string[]): Step[] => {
  const visible = [...before]
  return Array.from({ length: 1 + drawing.random.below(2) }, () => {
    const name = `s${drawing.names.next++}`
    const draw = drawing.random.pick(drawsAt(drawing.depth))
    const step = draw({ ...drawing, depth: drawing.depth + 1 }, name, visible)
    visible.push(...flowNames([step]))
    return step
  })
}

const drawDefinition = (seed: number) => {
  const drawing = { random: createSeeded(`loops ${seed}`), names: { next: 1 }, depth: 0 }
  const steps = [repeat(drawing, 's0', []), ...drawSteps(drawing, ['s0'])]
  const output = drawing.random.chance(0.5) ? expression(`$string([$${flowNames(steps).join(', $')}])`) : undefined
  return { workflow: `w${seed}`, steps, ...(output !== undefined && { output }) }
}

type Ended = { status: string; output: unknown; executions: number; error?: string }
/** Over as many executions as it takes. */
const outcomeOf = async (name: string, asl: ReturnType<typeof compile>['run']): Promise<Ended> => {
  const place = { tenant: 'acme', workflow: name, version: '1' }
  await workflows.deploy({ ...place, asl })
  let input: unknown = asl.StartAt === 'run: begin' ? { input: 'tea', run: 'r', startedAt: 'now' } : 'tea'
  for (let executions = 1; ; executions++) {
    const run = { tenant: 'acme', workflow: name, run: `r${executions}` }
    await workflows.start({ ...place, ...run, input })
    const { status, output, error } = await eventually(async () => {
      const seen = await workflows.describe(run)
      expect(seen?.status).not.toBe('RUNNING')
      return seen ?? { status: '', output: undefined, error: undefined }
    }, 20_000)
    const answer = (asl.StartAt === 'run: begin' ? output : { output }) as { output?: unknown; further?: unknown }
    if (answer?.further === undefined) return { status, output: answer?.output, error, executions }
    input = answer.further
  }
}

/** Whether it is a definition, and in how many executions it ran. */
const compare = async (seed: number): Promise<{ executions: number } | undefined> => {
  const { definition, problems } = validate({ value: drawDefinition(seed) })
  if (definition === undefined) {
    expect(problems.map(({ code }) => code)).toContain('DEAD_REFERENCE')
    return undefined
  }
  const one = await outcomeOf(`one-${seed}`, compile(definition, { legEvents: 1_000_000 }).run)
  const cut = await outcomeOf(`cut-${seed}`, compile(definition, { legEvents: 1 + (seed % 3) * 30 }).run)
  expect({ seed, ...cut, executions: 0 }).toEqual({ seed, ...one, executions: 0 })
  expect(one).toMatchObject({ status: 'SUCCEEDED', executions: 1 })
  return cut
}

it('what loops come to is the same over one execution and over many', async () => {
  const seen: { executions: number }[] = []
  for (let first = 1; first <= seeds; first += 25) {
    const some = await Promise.all(Array.from({ length: 25 }, (_, at) => compare(first + at)))
    seen.push(...some.filter((one) => one !== undefined))
  }
  expect(seen.length).toBeGreaterThan(seeds / 2)
  expect(seen.filter(({ executions }) => executions > 3).length).toBeGreaterThan(seeds / 4)
}, 120_000)
