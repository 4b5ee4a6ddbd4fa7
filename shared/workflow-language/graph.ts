import type { Definition, Step, StepKind } from '#shared/contracts/workflows/definition.ts'
import { codeOf } from './expressions/parse-expression.ts'
import { blocksOf } from './steps.ts'

/** https://mermaid.js.org/syntax/flowchart.html */
type Shape = [open: string, close: string]
const box: Shape = ['[', ']']
const round: Shape = ['(', ')']
const shapes: Partial<Record<StepKind, Shape>> = {
  choice: ['{', '}'],
  repeat: ['{{', '}}'],
  wait: ['([', '])'],
  waitForEvent: ['([', '])'],
  approval: ['[/', '/]'],
  set: round,
  state: round,
  message: ['>', ']'],
  request: ['>', ']'],
  fail: ['((', '))'],
  subWorkflow: ['[[', ']]'],
}

/** An edge that still leads nowhere. */
type Loose = { from: string; label?: string }
type Drawing = { lines: string[]; loose: Loose[] }

const quoted = (text: string): string => `"${text.replaceAll('"', '#quot;').replaceAll(/\s+/g, ' ')}"`
const shortened = (text: string): string => (text.length > 50 ? `${text.slice(0, 49)}…` : text)

const captionOf = (step: Step): string => {
  if (step.kind === 'task') return `${step.name}: ${step.capability ?? step.agent}`
  if (step.kind === 'fail') return `${step.name}: ${step.error}`
  return step.kind === 'set' ? step.name : `${step.name}: ${step.kind}`
}

const edge = ({ from, label }: Loose, to: string): string =>
  `  ${from} -->${label === undefined ? '' : `|${quoted(shortened(label))}|`} ${to}`

/** A flowchart in Mermaid. */
export const toMermaid = ({ steps }: Definition): string => {
  const { lines, loose } = draw(steps, [{ from: 'start' }])
  return [
    'flowchart TD',
    '  start((start))',
    ...lines,
    ...loose.map((one) => edge(one, 'done')),
    '  done((done))',
    '',
  ].join('\n')
}

const draw = (steps: Step[], from: Loose[]): Drawing => {
  const lines: string[] = []
  let loose = from
  for (const step of steps) {
    const drawn = drawStep(step, loose)
    lines.push(...drawn.lines)
    loose = drawn.loose
  }
  return { lines, loose }
}

const drawStep = (step: Step, from: Loose[]): Drawing => {
  const [open, close] = shapes[step.kind] ?? box
  const id = `s_${step.name}`
  const own = [`  ${id}${open}${quoted(captionOf(step))}${close}`, ...from.map((one) => edge(one, id))]
  const blocks = blocksOf(step)
    .filter(({ role }) => role !== 'compensate')
    .map((block) => ({ block, ...draw(block.steps, [{ from: id, label: labelOf(step, block) }]) }))
  const undo = blocksOf(step).flatMap(({ role, steps }) => (role === 'compensate' ? undoing(id, steps) : []))
  return {
    lines: [...own, ...blocks.flatMap(({ lines }) => lines), ...undo],
    loose: looseOf(step, id, blocks),
  }
}

const undoing = (id: string, steps: Step[]): string[] => {
  const { lines } = draw(steps, [])
  return [...lines, `  ${id} -. undo .-> s_${steps[0]?.name}`]
}

type Drawn = Drawing & { block: ReturnType<typeof blocksOf>[number] }

const looseOf = (step: Step, id: string, blocks: Drawn[]): Loose[] => {
  if (step.kind === 'fail') return []
  const [caught, works] = [
    blocks.filter(({ block }) => block.role === 'catch'),
    blocks.filter(({ block }) => block.role !== 'catch'),
  ]
  const ways = works.flatMap(({ loose }) => loose)
  const past = works.length === 0 || (step.kind === 'choice' && step.otherwise === undefined)
  return [...ways, ...(past ? [{ from: id }] : []), ...caught.flatMap(({ loose }) => loose)]
}

const labelOf = (step: Step, { label, role, path }: ReturnType<typeof blocksOf>[number]): string => {
  if (role === 'catch')
    return `on ${('catch' in step && step.catch?.[Number(path[1])]?.errors?.join(', ')) || 'any error'}`
  if (step.kind === 'choice' && path[0] === 'cases')
    return codeOf(step.cases[Number(path[1])]?.when ?? '')?.trim() ?? label
  if (step.kind === 'repeat') return `until ${codeOf(step.until)?.trim()}, at most ${step.atMost} times`
  return step.kind === 'map' ? 'each item' : label
}
