import { DomainError } from '../domain-error.ts'
import type { Budget, Task } from '../tasks/task.ts'

/** Refuses a child at a depth that a budget above it does not allow. */
export const requireDepth = ({ id, deepest }: Pick<Task, 'id' | 'deepest'>, depth: number): void => {
  if (deepest === undefined || depth <= deepest) return
  const message = `task ${id} is as deep as the budget above it allows: ${deepest} ${deepest === 1 ? 'level' : 'levels'} below the first task of its tree`
  throw new DomainError('BUDGET', message, [{ pointer: '#/parent', code: 'BUDGET', message }])
}

/** How deep the tree below a task may grow, by its own budget and those above it. */
export const deepestOf = (
  above: number | undefined,
  depth: number | undefined,
  budget: Budget | undefined,
): number | undefined => {
  const own = budget?.depth === undefined ? undefined : (depth ?? 0) + budget.depth
  return above === undefined || own === undefined ? (above ?? own) : Math.min(above, own)
}
