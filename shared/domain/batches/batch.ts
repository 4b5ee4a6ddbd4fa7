import type { Platform } from '../../platform/platform.ts'
import { actorOf, type Caller, stamp } from '../caller.ts'
import { remind } from '../dispatch/due.ts'
import { DomainError } from '../domain-error.ts'
import type { Counts } from '../fan-out/bitmap.ts'
import { type FanOut, isOver, see, stop } from '../fan-out/fan-out.ts'
import { batchListPk, changeFanOut, getFanOut, loadPages } from '../fan-out/fan-out-store.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random' | 'queues' | 'telemetry'>

/** A batch and what became of its rows so far. */
export type DescribedBatch = { fan: FanOut; counts: Counts }

export const describeBatch = async (ports: Pick<Platform, 'main'>, fan: FanOut): Promise<DescribedBatch> => ({
  fan,
  counts: see(fan, await loadPages(ports, fan)).counts,
})

export const getBatch = async (ports: Pick<Platform, 'main'>, tenant: string, id: string): Promise<DescribedBatch> =>
  describeBatch(ports, (await getFanOut(ports, tenant, id)).value)

/** Newest first. */
export const listBatches = async (
  ports: Pick<Platform, 'main'>,
  tenant: string,
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<{ items: DescribedBatch[]; cursor?: string }> => {
  const pk = batchListPk(tenant)
  const page = await ports.main.query<FanOut>({ index: 'list', pk, order: 'descending', limit, cursor })
  return { items: await Promise.all(page.items.map(({ value }) => describeBatch(ports, value))), cursor: page.cursor }
}

/** Submits no more rows and cancels those that have not ended. */
export const cancelBatch = async (ports: Ports, caller: Caller, id: string): Promise<DescribedBatch> => {
  const { tenant } = caller
  const start = await getFanOut(ports, tenant, id)
  if (start.value.task !== undefined)
    throw new DomainError('CONFLICT', `batch ${id} is that of task ${start.value.task}; cancel the task`)
  const { value } = await changeFanOut(ports, start, (fan) => {
    if (fan.stopping?.reason === 'CANCELLED') return fan
    if (isOver(fan)) throw new DomainError('ALREADY_FINISHED', `batch ${id} is already ${fan.state}`)
    const stopping = { reason: 'CANCELLED' as const, message: `cancelled by ${actorOf(caller)}` }
    return { ...stop({ ...fan, stopping: undefined }, stopping), stamp: stamp(caller, 'batch.cancel') }
  })
  await remind(ports, { tenant, id, at: ports.clock.now() })
  return describeBatch(ports, value)
}
