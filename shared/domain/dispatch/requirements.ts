import type { Requirements } from '../tasks/task.ts'
import { inRange } from './version-range.ts'

export type Labels = Record<string, string>

/** What requirements look at; `instances` has the labels of the live ones. */
export type Able = { version: string; resourceClass?: string; labels: Labels; instances: Labels[] }

/** Each wanted label is one of the agent's or of the instance's. */
export const hasLabels = (wanted: Labels | undefined, ...own: Labels[]): boolean =>
  Object.entries(wanted ?? {}).every(([key, value]) =>
    own.some((labels) => Object.hasOwn(labels, key) && labels[key] === value),
  )

/** As a person writes them. */
export const showLabels = (labels: Labels): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}:${value}`)
    .join(', ')

type Rule = (able: Able, wanted: Requirements) => string | undefined

const rules: Rule[] = [
  ({ version }, wanted) =>
    wanted.version === undefined || inRange(version, wanted.version)
      ? undefined
      : `its version ${version} is not in ${wanted.version || '*'}`,
  ({ resourceClass }, wanted) =>
    wanted.resourceClass === undefined || wanted.resourceClass === resourceClass
      ? undefined
      : `its resource class is ${resourceClass ?? 'not declared'}, not ${wanted.resourceClass}`,
  ({ labels, instances }, wanted) =>
    hasLabels(wanted.labels, labels) || instances.some((own) => hasLabels(wanted.labels, labels, own))
      ? undefined
      : `neither it nor a live instance of it has the labels ${showLabels(wanted.labels ?? {})}`,
]

/** The first requirement that is not met, in words; `undefined`: all are. */
export const unmetBy = (able: Able, wanted: Requirements | undefined): string | undefined => {
  if (wanted === undefined) return undefined
  for (const rule of rules) {
    const problem = rule(able, wanted)
    if (problem !== undefined) return problem
  }
  return undefined
}
