import type { Platform } from '../../platform/platform.ts'
import { planObject } from '../bodies/body.ts'
import { systemStamp } from '../caller.ts'
import type { Run, RunStep } from './run.ts'
import { runPk } from './run-store.ts'
import { loadInput } from './start-run.ts'
import { type FieldLimits, loadOutline, refOf, smallFields } from './steps/small-fields.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'clock'>

/** What machines are given has 256 KiB at most. */
const mostBytes = 252 * 1024
/** Outputs become references, the largest first, until all fit; in the second round without their small fields. */
const rounds: [FieldLimits, FieldLimits] = [
  { field: 512, all: 1024 },
  { field: 0, all: 0 },
]
/** A reference takes as much. */
const leastBytes = 100

type Answer = { step: string; id: string; output: unknown }

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value ?? null))

type Steps = { undo: RunStep[]; others: RunStep[] }

/**
 * What a machine that undoes is told: why, the steps to undo, the last that completed first, and what the others had
 * answered. Each output is there once. The input of the run is whole where it fits beside them.
 */
export const undoInput = async (ports: Ports, run: Run, steps: Steps) => {
  const input = await loadInput(ports, run)
  const whole = await tellWith(ports, run, input, steps)
  if (run.input.in !== 'object' || bytesOf(whole) <= mostBytes) return whole
  return tellWith(ports, run, { ...smallFields(input, rounds[0]), $ref: run.input.id }, steps)
}

const tellWith = async (ports: Ports, run: Run, input: unknown, { undo, others }: Steps) => {
  const { id, error, cause, outcome } = run
  const told = { run: id, input, error: { error: error ?? outcome, cause: cause ?? null } }
  const latest = [...new Map(others.map((step) => [step.name, step])).values()]
  const answers = await Promise.all([...undo, ...latest].map((step) => answerOf(ports, run, step)))
  const fitting = await shrink(ports, run, answers, mostBytes - bytesOf({ ...told, completed: [], outputs: {} }))
  const completed = fitting.slice(0, undo.length).map(({ step, output }) => ({ step, output }))
  const outputs = Object.fromEntries(fitting.slice(undo.length).map(({ step, output }) => [step, output]))
  return { ...told, completed, outputs }
}

const answerOf = async (ports: Ports, run: Run, { id, name, output }: RunStep): Promise<Answer> => ({
  step: name,
  id,
  output: await loadOutline(ports, { tenant: run.tenant, pk: runPk(run.tenant, run.id), body: output }),
})

const shrink = async (ports: Ports, run: Run, answers: Answer[], room: number): Promise<Answer[]> => {
  const fitting = [...answers]
  let bytes = bytesOf(answers.map(({ step, output }) => ({ step, output })))
  for (const limits of rounds) {
    const bySize = [...fitting.keys()].sort((a, b) => bytesOf(fitting[b]?.output) - bytesOf(fitting[a]?.output))
    for (const at of bySize) {
      const answer = fitting[at] as Answer
      if (bytes <= room || bytesOf(answer.output) <= leastBytes) break
      const short = { ...answer, output: await reference(ports, run, answer, limits) }
      bytes += bytesOf(short.output) - bytesOf(answer.output)
      fitting[at] = short
    }
  }
  return fitting
}

const reference = async (ports: Ports, run: Run, { id, output }: Answer, limits: FieldLimits): Promise<object> => {
  const $ref = refOf(output) ?? (await keep(ports, run, id, output))
  return { ...smallFields(output, limits), $ref }
}

const keep = async (ports: Ports, { tenant, id }: Run, step: string, value: unknown): Promise<string> => {
  const place = { tenant, pk: runPk(tenant, id), sk: `undo#${step}`, stamp: systemStamp('run.undo') }
  const { body, items } = await planObject(ports, { ...place, value })
  for (const item of items) await ports.main.write({ op: 'put', item, expect: 'any' })
  return body.id
}
