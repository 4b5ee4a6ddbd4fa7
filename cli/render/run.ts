import type { RunResponse } from '#shared/contracts/workflows.ts'
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

const nameOf = ({ name, index, undoes }: Step): string =>
  `${undoes ? 'undo: ' : ''}${name}${index === undefined ? '' : `[${index}]`}`

const durationOf = ({ startedAt, finishedAt }: Step): string => {
  if (startedAt === undefined) return ''
  if (finishedAt === undefined) return ago(startedAt)
  return `${((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000).toFixed(1)} s`
}

const detailOf = ({ task, approval, child, message, error, cause }: Step): string =>
  plain([approval ?? child ?? message ?? task ?? '', error ?? '', cause ?? ''].filter(Boolean).join(' '))

/** The steps of a run below each other, in the order in which they came. */
export const stepLines = ({ steps = [] }: RunResponse, width = 100): string[] => {
  const longest = Math.max(0, ...steps.map((step) => nameOf(step).length))
  return steps.map((step) => {
    const line = `${marks[step.state]} ${nameOf(step).padEnd(longest)}  ${step.state.padEnd(9)}  ${durationOf(step).padStart(8)}  ${detailOf(step)}`
    return line.length > width ? `${line.slice(0, width - 1)}…` : line.trimEnd()
  })
}

/** Redraws a run as it goes on; where nothing can be drawn over, tells each step that changed on a line. */
export const createRunView = (stream: NodeJS.WriteStream) => {
  const colors = colorsFor(stream)
  const told = new Map<string, string>()
  let drawn = 0
  const painted = (line: string): string => {
    if (line.startsWith('✓')) return colors.green(line)
    if (line.startsWith('✗')) return colors.red(line)
    return line.startsWith('●') ? colors.cyan(line) : colors.dim(line)
  }
  const redraw = (run: RunResponse): void => {
    const lines = stepLines(run, stream.columns || 80)
    stream.write(`${drawn > 0 ? `\u001b[${drawn}A\u001b[J` : ''}${lines.map((line) => `${painted(line)}\n`).join('')}`)
    drawn = lines.length
  }
  const tell = (run: RunResponse): void => {
    for (const step of run.steps ?? []) {
      const key = `${nameOf(step)} ${step.startedAt ?? ''}`
      if (step.state === 'PENDING' || step.state === 'SKIPPED' || told.get(key) === step.state) continue
      told.set(key, step.state)
      stream.write(`${marks[step.state]} ${nameOf(step)} ${step.state} ${detailOf(step)}`.trimEnd().concat('\n'))
    }
  }
  return { update: (run: RunResponse): void => (canAnimate(stream) ? redraw(run) : tell(run)) }
}
