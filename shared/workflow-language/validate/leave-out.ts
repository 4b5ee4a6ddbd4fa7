import type { TaskStep } from '#shared/contracts/workflows/definition.ts'
import { stepNameSchema } from '#shared/contracts/workflows/values.ts'
import { everyText } from '../expressions/every-expression.ts'
import { type Finding, type Path, toPointer } from '../problem.ts'

/** The way to a step, through the blocks around it. */
const wayToStep =
  /^#(?:\/(?:steps|otherwise|compensate)\/\d+|\/branches\/[^/]*\/\d+|\/(?:cases|catch)\/\d+\/steps\/\d+)+(?=\/|$)/

/** The innermost step that a place is in. */
const stepAround = (path: Path): Path | undefined => {
  const [way] = wayToStep.exec(toPointer(path)) ?? []
  return way === undefined ? undefined : path.slice(0, way.split('/').length - 1)
}

type Fields = Record<string | number, unknown>

const isFields = (value: unknown): value is Fields => value !== null && typeof value === 'object'

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((found, key) => (isFields(found) ? found[key] : undefined), value)

/** A part of a definition that is none. */
export type LeftOut = { value: unknown; path: Path }

/**
 * A value without what is wrong in it: a task of the same name stands for a step, and a field of the definition is not
 * there. `lost` has what may be names in it. `undefined`: the whole is wrong.
 */
export const leaveOut = (
  value: unknown,
  findings: Finding[],
): { value: unknown; lost: string[]; leftOut: LeftOut[] } | undefined => {
  const rest = structuredClone(value)
  const leftOut: LeftOut[] = []
  const places = findings.map(({ path }) => stepAround(path) ?? path.slice(0, 1))
  const lost = places
    .toSorted((one, other) => one.length - other.length) // what is around another is left out with it
    .map((place) => {
      const part = { value: at(rest, place), path: place }
      const names = replace(rest, place)
      if (at(rest, place) !== part.value) leftOut.push(part)
      return names
    })
  return lost.includes(undefined) ? undefined : { value: rest, lost: lost.flatMap((names) => names ?? []), leftOut }
}

const replace = (rest: unknown, place: Path): string[] | undefined => {
  const around = at(rest, place.slice(0, -1))
  const [key] = place.slice(-1)
  if (!isFields(rest) || key === undefined || (place.length === 1 && key === 'steps')) return undefined
  if (!isFields(around)) return []
  if (place.length > 1) return replaceStep(around, key, place)
  delete around[key]
  if (key === 'workflow') around[key] = 'left-out'
  return []
}

const replaceStep = (list: Fields, key: string | number, place: Path): string[] => {
  const step = list[key]
  const given = stepNameSchema.safeParse(isFields(step) ? step.name : undefined).data
  const name = given ?? `unnamed_${place.filter((part) => typeof part === 'number').join('_')}`
  list[key] = { name, kind: 'task', agent: 'left-out' } satisfies TaskStep
  return namesIn(step).filter((one) => one !== given)
}

/** Everything that may be the name of a variable that is seen outside of it. */
export const namesIn = (step: unknown): string[] =>
  everyText(step)
    .flatMap(({ text }) => /^[A-Za-z]\w{0,59}/.exec(text) ?? [])
    .flatMap((name) => [name, `${name}Round`])
