import type { Key, Platform } from '../../../platform/platform.ts'
import { changeItem } from '../../contention.ts'
import type { BlockTime, Run, RunStep } from '../run.ts'
import { runPk } from '../run-store.ts'

/** A block that has ended, or whose tries have that began before a time: machines tell it as text that sorts. */
export type OverBlock = { block: string; before?: string }

const blockKey = ({ tenant, id }: Pick<Run, 'tenant' | 'id'>, block: string): Key => ({
  pk: runPk(tenant, id),
  sk: `block#${block}`,
})

/** Whether a step is of a block, or a try, that is over. */
export const isOf = ({ within = [] }: Pick<RunStep, 'within'>, over: OverBlock): boolean =>
  within.some((place) => place.block === over.block && isBefore(place, over))

const isBefore = ({ try: begun }: BlockTime, { before }: OverBlock): boolean =>
  before === undefined || (begun !== undefined && begun < before)

/** Keeps that a block or tries of it are over, for steps whose commands come after that. */
export const noteOver = async (
  ports: Pick<Platform, 'main' | 'clock' | 'random'>,
  run: Run,
  over: OverBlock,
): Promise<void> => {
  const key = blockKey(run, over.block)
  const place = { table: ports.main, key, what: `a block of run ${run.id}` }
  await changeItem<OverBlock>(ports, place, (known) =>
    known && says(known, over) ? undefined : { ...key, type: 'run-block', value: over },
  )
}

/** Whether what is known says as much. */
const says = (known: OverBlock, { before }: OverBlock): boolean =>
  known.before === undefined || (before !== undefined && before <= known.before)

/** Whether a block that a step is in, or the try of it, is over. */
export const isInOver = async ({ main }: Pick<Platform, 'main'>, run: Run, step: RunStep): Promise<boolean> => {
  if (step.within === undefined) return false
  const found = await main.getMany<OverBlock>(step.within.map(({ block }) => blockKey(run, block)))
  return found.some((one) => one !== undefined && isOf(step, one.value))
}
