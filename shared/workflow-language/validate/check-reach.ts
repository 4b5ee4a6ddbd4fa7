import type { ChoiceStep, Definition, RepeatStep, Step } from '#shared/contracts/workflows/definition.ts'
import { isExpression, parseExpression } from '../expressions/parse-expression.ts'
import { type Finding, failing, type Path, warning } from '../problem.ts'
import { blocksOf, everyStep, flowNames } from '../steps.ts'

/** Steps that nothing comes to, and loops that nothing ends. */
export const checkReach = (definition: Definition): Finding[] => [
  ...reachOf(definition.steps, ['steps']),
  ...callsOfItself(definition),
]

const reachOf = (steps: Step[], path: Path): Finding[] => {
  const last = steps.findIndex(isEnd)
  const dead = last >= 0 ? steps[last + 1] : undefined
  const beyond =
    dead &&
    failing('UNREACHABLE', [...path, last + 1], `${dead.name} never runs: ${steps[last]?.name} ends what is before it`)
  return [
    ...(beyond ? [beyond] : []),
    ...steps.flatMap((step, at) => [
      ...(step.kind === 'choice' ? casesOf(step, [...path, at]) : []),
      ...(step.kind === 'repeat' ? roundsOf(step, [...path, at]) : []),
      ...blocksOf(step).flatMap((block) => reachOf(block.steps, [...path, at, ...block.path])),
    ]),
  ]
}

const ending = (steps: Step[]): boolean => steps.some(isEnd)

/** Whether nothing comes after a step, whatever happens. */
const isEnd = (step: Step): boolean => {
  if ('catch' in step && step.catch?.some(({ steps }) => !ending(steps))) return false
  const works = blocksOf(step).filter(({ role }) => role === 'flow' || role === 'inner')
  const ends = works.map(({ steps }) => ending(steps))
  if (step.kind === 'choice') return step.otherwise !== undefined && ends.every(Boolean)
  if (step.kind === 'parallel' || step.kind === 'repeat') return ends.some(Boolean)
  return step.kind === 'fail' || (step.kind === 'race' && ends.every(Boolean))
}

const constantOf = (text: string): unknown => {
  const parsed = isExpression(text) ? parseExpression(text) : undefined
  return parsed && 'constant' in parsed ? parsed.constant : undefined
}

const casesOf = ({ cases, otherwise }: ChoiceStep, path: Path): Finding[] => {
  const constants = cases.map(({ when }) => constantOf(when))
  const never = constants.flatMap((value, at) =>
    value === false ? [failing('UNREACHABLE', [...path, 'cases', at, 'when'], 'this is never true')] : [],
  )
  const sure = constants.indexOf(true)
  const rest = sure < 0 ? undefined : sure + 1 < cases.length ? ['cases', sure + 1] : otherwise && ['otherwise']
  return rest ? [...never, failing('UNREACHABLE', [...path, ...rest], `case ${sure + 1} is always true`)] : never
}

const roundsOf = (step: RepeatStep, path: Path): Finding[] => {
  const parsed = parseExpression(step.until)
  if ('problem' in parsed) return []
  const changing = new Set([...flowNames(step.steps), `${step.name}Round`])
  const calls = parsed.references.some(({ name, call }) => changing.has(name) || call)
  if (calls || parsed.constant === true) return []
  const never = parsed.constant === false ? 'until is never true' : `until looks at nothing that its steps change`
  return [warning('ENDLESS', [...path, 'until'], `${never}: it repeats ${step.atMost} times, or once`)]
}

/** Whether every way through a definition comes to a step. */
export const surelyIn = (path: Path): boolean =>
  !path.some((key) => key === 'cases' || key === 'otherwise' || key === 'catch' || key === 'compensate')

/** A run that starts itself again on every way through it. */
const callsOfItself = ({ workflow, steps }: Definition): Finding[] =>
  everyStep(steps).flatMap(({ step, path }) =>
    step.kind === 'subWorkflow' && step.workflow === workflow && surelyIn(path)
      ? [
          failing(
            'ENDLESS',
            [...path, 'workflow'],
            `${workflow} starts itself on every way; put it into a case of a choice`,
          ),
        ]
      : [],
  )
