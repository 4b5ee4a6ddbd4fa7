import fc from 'fast-check'
import { aMachine, aMap, aNotice, aParallel, aPass, aStep, type MachineAsl } from './machines.ts'

/** What a step is answered, one after the other; the last of them ever after. */
export type StepAnswer = 'ok' | 'Flaky' | 'Broken'
type Handling = { retry?: { equals: string; max: number }; caught?: boolean }
type Step = { kind: 'step'; answers: StepAnswer[] } & Handling
type Node =
  | { kind: 'pass'; form: number }
  | { kind: 'variable' }
  | { kind: 'notice' }
  | { kind: 'wait' }
  | { kind: 'fail' }
  | { kind: 'succeed' }
  | Step
  | { kind: 'choice'; holds: boolean; yes: Node[]; no: Node[] }
  | ({ kind: 'parallel'; branches: Node[][]; given: boolean } & Handling)
  | ({ kind: 'map'; count: number; limit: number; failsAt: number; body: Node[] } & Handling)

type State = Record<string, unknown>

const cause = 'because'
/** Of the outputs of `Pass`. */
const forms = [
  '{% {"was": $states.input} %}',
  '{% $string($states.input) %}',
  '{% [$states.input, 1.5, null, "größer"] %}',
  '{% $exists($states.input.was) ? $states.input.was : $count($states.input) %}',
  { literal: true, nested: ['{% $type($states.input) %}'] },
]

const canFail = (node: Node): boolean => {
  if (node.kind === 'fail') return true
  if (node.kind === 'step') return node.answers.some((answer) => answer !== 'ok')
  return innerOf(node).some(canFail)
}
const innerOf = (node: Node): Node[] => {
  if (node.kind === 'choice') return [...node.yes, ...node.no]
  if (node.kind === 'parallel') return node.branches.flat()
  return node.kind === 'map' ? node.body : []
}
const sends = (node: Node): boolean =>
  node.kind === 'step' || node.kind === 'notice' || node.kind === 'wait' || innerOf(node).some(sends)

/** Nothing depends on which of two things that run beside each other comes first. */
const isOrdered = (node: Node): boolean => {
  if (node.kind !== 'parallel') return innerOf(node).every(isOrdered)
  const failing = node.branches.filter((branch) => branch.some(canFail))
  const quiet = node.branches.filter((branch) => !failing.includes(branch)).every((branch) => !branch.some(sends))
  return (failing.length === 0 || (failing.length === 1 && quiet)) && innerOf(node).every(isOrdered)
}

const handling = {
  retry: fc.option(
    fc.record({
      equals: fc.constantFrom('Flaky', 'States.TaskFailed', 'States.ALL'),
      max: fc.integer({ min: 0, max: 2 }),
    }),
    { nil: undefined, freq: 2 },
  ),
  caught: fc.boolean(),
}
const answers = fc.oneof(
  { weight: 3, arbitrary: fc.constant<StepAnswer[]>(['ok']) },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.constantFrom<StepAnswer>('Flaky'), { minLength: 1, maxLength: 2 })
      .map((all) => [...all, 'ok' as const]),
  },
  { weight: 1, arbitrary: fc.constantFrom<StepAnswer[]>(['Broken'], ['Flaky']) },
)

const { sequence } = fc.letrec<{ node: Node; sequence: Node[] }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('step' as const), answers, ...handling }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('pass' as const), form: fc.integer({ min: 0, max: forms.length - 1 }) }),
    },
    { weight: 2, arbitrary: fc.constant<Node>({ kind: 'variable' }) },
    { weight: 2, arbitrary: fc.constant<Node>({ kind: 'notice' }) },
    { weight: 1, arbitrary: fc.constantFrom<Node>({ kind: 'fail' }, { kind: 'succeed' }, { kind: 'wait' }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('choice' as const),
        holds: fc.boolean(),
        yes: tie('sequence'),
        no: tie('sequence'),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('parallel' as const),
        branches: fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }),
        given: fc.boolean(),
        ...handling,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('map' as const),
        count: fc.integer({ min: 0, max: 4 }),
        limit: fc.integer({ min: 0, max: 2 }),
        failsAt: fc.integer({ min: 0, max: 3 }),
        body: tie('sequence'),
        ...handling,
      }),
    },
  ) as fc.Arbitrary<Node>,
  sequence: fc.array(tie('node'), { minLength: 1, maxLength: 4, size: 'max' }) as fc.Arbitrary<Node[]>,
}))

/** A machine, with the kinds of what is in it. */
export type RandomMachine = { asl: MachineAsl; kinds: string[] }

const kindsOf = (nodes: Node[]): string[] => [
  ...new Set(nodes.flatMap((node) => [node.kind, ...kindsOf(innerOf(node))])),
]

/** In a map: the variable that holds the item, and which one has the failures. */
type Around = { item?: string; failsAt?: number }

/** Keeps in a branch what all branches are given, and goes on with it. */
const givenTo = (kept: string): Record<string, State> => ({
  [kept]: aPass({ Assign: { [kept]: '{% $states.input.given %}' }, Output: '{% $states.input.given.was %}' }),
})

/** A first state that says nothing of what follows goes to the second. */
const chained = (states: Record<string, State>): Record<string, State> => {
  const [first = '', second] = Object.keys(states)
  const state = states[first] ?? {}
  return second === undefined || !goesOn(state) ? states : { ...states, [first]: { ...state, Next: second } }
}

/** Makes states of nodes; each has a name of its own. */
const createCompiler = () => {
  let last = 0
  const name = (kind: string): string => `${kind}${++last}`

  const handled = ({ retry, caught }: Handling, states: Record<string, State>, next: string): State => {
    if (caught) states[`Caught${next}`] = aPass({ Output: { caught: '{% $states.input.Error %}' }, Next: next })
    return {
      ...(retry && {
        Retry: [{ ErrorEquals: [retry.equals], IntervalSeconds: 1, BackoffRate: 1, MaxAttempts: retry.max }],
      }),
      ...(caught && { Catch: [{ ErrorEquals: ['States.ALL'], Next: `Caught${next}` }] }),
    }
  }
  const messageOf = (step: string, { item, failsAt }: Around, plan: StepAnswer[]) => ({
    step,
    plan,
    ...(item !== undefined && { item: `{% $${item} %}`, failsAt }),
  })

  const compile = (node: Node, around: Around): Record<string, State> => {
    const own = name(node.kind)
    const end = `${own}End`
    const states: Record<string, State> = {}
    const rest = handled('retry' in node || 'caught' in node ? node : {}, states, end)
    const joined = { [end]: aPass() }
    switch (node.kind) {
      case 'pass':
        return { [own]: aPass({ Output: forms[node.form] }) }
      case 'variable':
        return {
          [own]: aPass({ Assign: { [own]: { kept: '{% $states.input %}' } } }),
          [end]: aPass({ Output: { now: '{% $states.input %}', before: `{% $${own}.kept %}` } }),
        }
      case 'notice':
        return { [own]: aNotice({ Output: '{% $states.input %}' }, messageOf(own, around, [])) }
      case 'wait':
        return { [own]: { Type: 'Wait', Seconds: 1 } }
      case 'succeed':
        return { [own]: { Type: 'Succeed' } }
      case 'fail':
        return { [own]: { Type: 'Fail', Error: 'Gave.Up', Cause: cause } }
      case 'step':
        return { [own]: aStep({ ...rest, Next: end }, messageOf(own, around, node.answers)), ...states, ...joined }
      case 'choice': {
        const [yes, no] = [sequenceOf(node.yes, around, end), sequenceOf(node.no, around, end)]
        const Choices = [{ Condition: `{% ${node.holds} %}`, Next: Object.keys(yes)[0] }]
        return { [own]: { Type: 'Choice', Choices, Default: Object.keys(no)[0] }, ...yes, ...no, ...joined }
      }
      case 'parallel': {
        const branches = node.branches.map((branch) => ({
          ...(node.given && givenTo(name('given'))),
          ...sequenceOf(branch, around),
        }))
        const more = node.given && { Arguments: { given: '{% {"was": $states.input} %}' } }
        return { [own]: aParallel(branches.map(chained), { ...more, ...rest, Next: end }), ...states, ...joined }
      }
      case 'map': {
        const item = name('item')
        const first = {
          [`${item}Set`]: aPass({ Assign: { [item]: '{% $states.input.at %}' }, Output: '{% $states.input.value %}' }),
        }
        const failsAt = Math.min(node.failsAt, Math.max(0, node.count - 1))
        const more = {
          Items: Array.from({ length: node.count }, (_, at) => `item ${at}`),
          ItemSelector: { at: '{% $states.context.Map.Item.Index %}', value: '{% $states.context.Map.Item.Value %}' },
          MaxConcurrency: node.body.some(canFail) ? 1 : node.limit,
        }
        const body = { ...first, ...sequenceOf(node.body, { item, failsAt }) }
        return { [own]: aMap(body, { ...more, ...rest, Next: end }), ...states, ...joined }
      }
    }
  }
  /** One after the other, then `next`; an end in the middle leaves what follows out. */
  const sequenceOf = (nodes: Node[], around: Around, next?: string): Record<string, State> => {
    const stop = nodes.findIndex(({ kind }) => kind === 'fail' || kind === 'succeed')
    const parts = nodes.slice(0, stop < 0 ? undefined : stop + 1).map((node) => compile(node, around))
    const linked = parts.map((part, at) => link(part, Object.keys(parts[at + 1] ?? {})[0] ?? next))
    return Object.assign({}, ...linked) as Record<string, State>
  }
  return (nodes: Node[]): MachineAsl => aMachine(sequenceOf(nodes, {}))
}

const goesOn = ({ Type, ...state }: State): boolean =>
  !('Next' in state || 'End' in state || ['Choice', 'Succeed', 'Fail'].includes(String(Type)))

/** The last state of a part goes to the next part; those within it go to the one after them. */
const link = (part: Record<string, State>, next: string | undefined): Record<string, State> => {
  const names = Object.keys(part)
  return Object.fromEntries(
    Object.entries(part).map(([name, state], at) => {
      if (!goesOn(state)) return [name, state]
      const following = names[at + 1] ?? next
      return [name, { ...state, ...(following === undefined ? { End: true } : { Next: following }) }]
    }),
  )
}

/** So many machines, the same ones for the same seed. */
export const randomMachines = (seed: number, count: number): RandomMachine[] =>
  fc
    .sample(
      sequence.filter((nodes) => nodes.every(isOrdered)),
      { seed, numRuns: count },
    )
    .map((nodes) => ({ asl: createCompiler()(nodes), kinds: kindsOf(nodes) }))
