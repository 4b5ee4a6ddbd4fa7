import type { Key, Platform } from '../../../platform/platform.ts'
import type { BlockTime, Run, RunStep } from '../run.ts'
import { runPk } from '../run-store.ts'

const blockKey = ({ tenant, id }: Pick<Run, 'tenant' | 'id'>, { block }: BlockTime): Key => ({
  pk: runPk(tenant, id),
  sk: `block#${block}`,
})

/** Whether a step is of a block that is over. */
export const isOf = ({ within = [] }: Pick<RunStep, 'within'>, over: BlockTime): boolean =>
  within.some(({ block }) => block === over.block)

/** Keeps that a block is over, for steps whose commands come after that. */
export const noteOver = async ({ main }: Pick<Platform, 'main'>, run: Run, over: BlockTime): Promise<void> => {
  await main.write({ op: 'put', item: { ...blockKey(run, over), type: 'run-block', value: over }, expect: 'any' })
}

/** Whether a block that a step is in is over. */
export const isInOver = async ({ main }: Pick<Platform, 'main'>, run: Run, step: RunStep): Promise<boolean> => {
  if (step.within === undefined) return false
  const found = await main.getMany<BlockTime>(step.within.map((place) => blockKey(run, place)))
  return found.some((one) => one !== undefined && isOf(step, one.value))
}
