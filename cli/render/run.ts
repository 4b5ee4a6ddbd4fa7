import type { RunResponse } from '#shared/contracts/workflows.ts'
import { fitLines } from './fit-lines.ts'
import { canAnimate, colorsFor, plain } from './terminal.ts'
import { ago } from './time.ts'

type Step = NonNullable<RunResponse['steps']>[number]

const marks: Record<Step['state'], string> = {
  PENDING: '○',
  RUNNING: '●',
  SUCCEEDED: '✓',
  FAILED: '✗',
  ABANDONED: '–',
  SKIPPED: '·',
}

/** One that is tried again is under way, unlike one that has not come. */
const markOf = ({ state, attempt }: Step): string => (attempt === undefined ? marks[state] : '↻')

const nameOf = ({ name, index, undoes }: Step): string =>
  `${undoes ? 'undo: ' : ''}${name}${index === undefined ? '' : `[${index}]`}`

const durationOf = ({ startedAt, finishedAt }: Step): string => {
  if (startedAt === undefined) return ''
  if (finishedAt === undefined) return ago(startedAt)
  return `${((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000).toFixed(1)} s`
}

/** What comes by itself at a time: the end of a wait, or another try. */
const timeOf = ({ kind, state, until, attempt, attempts }: Step): string => {
  if (attempt !== undefined) return `try ${attempt} of ${attempts} by ${until}`
  return kind === 'wait' && state === 'RUNNING' && until !== undefined ? `until ${until}` : ''
}

const detailOf = (step: Step): string => {
  const { task, approval, child, batch, message, error, cause } = step
  const begun = approval ?? child ?? batch ?? message ?? task
  return plain([begun, timeOf(step), error, cause].filter(Boolean).join(' '))
}

/** How many steps each step is in. */
const depthsOf = (steps: Step[]): ((step: Step) => number) => {
  const places = new Map(steps.map((step) => [step.name, step.in]))
  const depth = (place: string | undefined): number => (place === undefined ? 0 : 1 + depth(places.get(place)))
  return (step) => depth(step.in)
}

/** The steps of a run below each other, in the order in which they came, each further in than the one that it is in. */
export const stepLines = ({ steps = [] }: RunResponse, width = 100): string[] => {
  const depthOf = depthsOf(steps)
  const inset = (step: Step): string => `${'  '.repeat(depthOf(step))}${nameOf(step)}`
  const longest = Math.max(0, ...steps.map((step) => inset(step).length))
  return steps.map((step) => {
    const line = `${markOf(step)} ${inset(step).padEnd(longest)}  ${step.state.padEnd(9)}  ${durationOf(step).padStart(8)}  ${detailOf(step)}`
    return line.length > width ? `${line.slice(0, width - 1)}…` : line.trimEnd()
  })
}

/** A text on lines of a width: what is to be copied is shown whole. */
const wrapped = (text: string, width: number): string[] => {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && last.length + 1 + word.length > width) lines.push(`  ${word}`)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}

/** A word that is longer than a line takes several. */
const heightOf = (lines: string[], width: number): number =>
  lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / width)), 0)

/** Redraws a run as it goes on; where nothing can be drawn over, tells each step that changed on a line. */
export const createRunView = (stream: NodeJS.WriteStream) => {
  const colors = colorsFor(stream)
  const told = new Map<string, string>()
  const saidWaits = new Set<string>()
  let drawn = 0
  const painted = (line: string): string => {
    if (line.startsWith('✓')) return colors.green(line)
    if (line.startsWith('✗')) return colors.red(line)
    return /^[●↻→]/.test(line) ? colors.cyan(line) : colors.dim(line)
  }
  const redraw = (run: RunResponse, waits: string[]): void => {
    const width = stream.columns || 80
    const told = waits.flatMap((wait) => wrapped(`→ ${wait}`, width))
    const room = Math.max(1, (stream.rows || 24) - 1 - heightOf(told, width)) // what has scrolled away is not drawn over
    const lines = [...fitLines(stepLines(run, width), room), ...told]
    stream.write(`${drawn > 0 ? `\u001b[${drawn}A\u001b[J` : ''}${lines.map((line) => `${painted(line)}\n`).join('')}`)
    drawn = heightOf(lines, width)
  }
  const tell = (run: RunResponse, waits: string[]): void => {
    for (const step of run.steps ?? []) {
      const key = `${nameOf(step)} ${step.startedAt ?? ''} ${step.attempt ?? ''}`
      const isToCome = step.state === 'SKIPPED' || (step.state === 'PENDING' && step.attempt === undefined)
      if (isToCome || told.get(key) === step.state) continue
      told.set(key, step.state)
      stream.write(`${markOf(step)} ${nameOf(step)} ${step.state} ${detailOf(step)}`.trimEnd().concat('\n'))
    }
    for (const wait of waits) {
      if (!saidWaits.has(wait)) stream.write(`→ ${wait}\n`)
      saidWaits.add(wait)
    }
  }
  return {
    /** `waits`: what somebody has to do something about. */
    update: (run: RunResponse, waits: string[] = []): void =>
      canAnimate(stream) ? redraw(run, waits) : tell(run, waits),
  }
}
