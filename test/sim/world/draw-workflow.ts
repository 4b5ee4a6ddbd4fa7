import type { Definition, Step } from '#shared/contracts/workflows/definition.ts'
import type { Seeded } from '../engine/random.ts'
import { topics } from './talk.ts'
import { drawWish } from './wish.ts'

export const workflowNames = ['inner', 'outer'] as const
/** Begins the names of steps that undo others. */
export const undoing = 'undo_'

/** The step that each of so many rounds of a loop in the flow of a run begins with. */
export const turnOf = (loop: string, rounds: number): string => `turn_${rounds}_${loop}`
export const parseTurn = (name: string): { loop: string; rounds: number } | undefined => {
  const [, rounds, loop] = /^turn_(\d+)_(\w+)$/.exec(name) ?? []
  return loop === undefined ? undefined : { loop, rounds: Number(rounds) }
}

/** `races`: whoever is slower is given up, whatever it was about to say. `inner`: in a block with branches or items. */
type Drawing = { random: Seeded; workflow: string; next: () => number; depth: number; races?: true; inner?: true }
type Draw = (drawing: Drawing, name: string) => Step

const wishOf = ({ random, next }: Drawing) => {
  const { asks: _, calls: __, ...wish } = drawWish(random, { n: next() })
  return { ...wish, ms: Math.min(wish.ms, 8000), fails: random.pick([0, 0, 0, 0, 0.5, 1]) }
}

const undoneBy = (drawing: Drawing, name: string): { compensate: Step[] } => {
  const body = { ...wishOf(drawing), fails: 0 }
  const undo: Step = drawing.random.chance(0.7)
    ? { name: `${undoing}${name}`, kind: 'task', capability: 'work', input: body }
    : { name: `${undoing}${name}`, kind: 'message', topic: drawing.random.pick(topics), body }
  return { compensate: [undo] }
}

/** What guards a step that may fail or take too long, and what undoes it. */
const guards = (drawing: Drawing, name: string) => {
  const { random } = drawing
  return {
    timeout: 10 + random.below(110),
    ...(random.chance(0.2) && { retry: { attempts: 2, initialSeconds: 1 } }),
    ...(random.chance(0.25) && { catch: [{ steps: [] }] }),
    ...(random.chance(0.4) && undoneBy(drawing, name)),
  }
}

const task: Draw = (drawing, name) => ({
  name,
  kind: 'task',
  capability: 'work',
  input: wishOf(drawing),
  ...guards(drawing, name),
})
const approval: Draw = (drawing, name) => ({
  name,
  kind: 'approval',
  prompt: 'go on?',
  ...guards(drawing, name),
  ...(drawing.random.chance(0.5) && { onReject: 'continue' as const }),
})
const wait: Draw = ({ random }, name) => ({ name, kind: 'wait', for: 1 + random.below(20) })
const message: Draw = (drawing, name) => ({
  name,
  kind: 'message',
  topic: drawing.random.pick(topics),
  body: { ...wishOf(drawing), fails: 0 },
  ...(drawing.random.chance(0.3) && undoneBy(drawing, name)),
})
const waitForEvent: Draw = (drawing, name) => ({
  name,
  kind: 'waitForEvent',
  topic: drawing.random.pick(topics),
  ...guards(drawing, name),
})
const inner: Draw = (drawing, name) => ({
  name,
  kind: 'subWorkflow',
  workflow: 'inner',
  input: { n: drawing.random.below(4) },
  ...guards(drawing, name),
})
const branches = (drawing: Drawing) => {
  const inner: Drawing = { ...drawing, inner: true }
  return { left: drawSteps(inner, 2), right: drawSteps(inner, 2) }
}
const parallel: Draw = (drawing, name) => ({ name, kind: 'parallel', branches: branches(drawing) })
const race: Draw = (drawing, name) => ({ name, kind: 'race', branches: branches({ ...drawing, races: true }) })
const map: Draw = (drawing, name) => ({
  name,
  kind: 'map',
  items: [1, 2, 3].slice(drawing.random.below(3)),
  as: `item_${name}`,
  concurrency: 1 + drawing.random.below(2),
  steps: drawSteps({ ...drawing, inner: true }, 1),
})
const repeat: Draw = (drawing, name) => {
  const rounds = 2 + drawing.random.below(3)
  const turn: Step = { name: turnOf(name, rounds), kind: 'set', value: `{% $${name}Round %}` }
  return {
    name,
    kind: 'repeat',
    until: `{% $${name}Round >= ${rounds} %}`,
    atMost: 10,
    steps: [...(drawing.inner ? [] : [turn]), ...drawSteps(drawing, 2)],
  }
}
const choice: Draw = (drawing, name) => ({
  name,
  kind: 'choice',
  cases: [{ when: '{% $input.n % 2 = 0 %}', steps: drawSteps(drawing, 2) }],
  ...(drawing.random.chance(0.5) && { otherwise: drawSteps(drawing, 1) }),
})
const fail: Draw = (_, name) => ({ name, kind: 'fail', error: 'GAVE_UP' })

const leaves: [number, Draw][] = [
  [0.6, task],
  [0.72, approval],
  [0.82, wait],
  [0.9, message],
  [1, waitForEvent],
]
const blocks: [number, Draw][] = [
  [0.35, parallel],
  [0.6, map],
  [0.75, choice],
  [0.85, repeat],
  [1, race],
]

const drawStep = (drawing: Drawing): Step => {
  const { random, depth, workflow, next } = drawing
  const ticket = random.number()
  if (depth === 0 && workflow === 'outer' && random.chance(0.15)) return inner(drawing, `${workflow[0]}${next()}`)
  const [rows, deeper] = depth < 2 && random.chance(0.35) ? [blocks, 1] : [leaves, 0]
  const draw = rows.find(([below]) => ticket < below)?.[1] ?? task
  const chosen = draw === message && drawing.races ? wait : draw
  return chosen({ ...drawing, depth: depth + deeper }, `${workflow[0]}${next()}`)
}
const drawSteps = (drawing: Drawing, most: number): Step[] =>
  Array.from({ length: 1 + drawing.random.below(most) }, () => drawStep(drawing))

/** A small workflow: tasks, blocks, people, waits, messages, and what undoes a step when the run does not succeed. */
export const drawWorkflow = (random: Seeded, workflow: string): Definition => {
  let names = 0
  const drawing = { random, workflow, next: () => ++names, depth: 0 }
  const loop = random.chance(0.3) ? [repeat({ ...drawing, depth: 1 }, `${workflow[0]}loop`)] : []
  const steps = [...drawSteps(drawing, 4), ...loop]
  const end = random.chance(0.25) ? [fail(drawing, 'end')] : []
  return { workflow, steps: [...steps, ...end], ...(random.chance(0.2) && { timeout: 60 + random.below(120) }) }
}
