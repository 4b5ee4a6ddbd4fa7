import type { Platform, Stored } from '../../platform/platform.ts'
import { remind } from '../dispatch/due.ts'
import { chunkRows, type FanOut, isOver } from './fan-out.ts'
import { changeFanOut, findFanOut } from './fan-out-store.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random' | 'telemetry'>

/** How long whoever works on a fan-out is alone with it without a sign of life, and how often it gives one. */
const claimMs = 6000
const renewMs = 2000
/** A fan-out is looked at this often, whatever its reminders do. */
const lookAgainMs = 60_000

const claimed = (fan: FanOut, by: string, now: number): FanOut => ({
  ...fan,
  pass: { by, until: now + claimMs },
  dueAt: now + claimMs,
})

/** Makes `by` the one who works on it, if nobody does. */
export const takePass = async (
  ports: Ports,
  start: Stored<FanOut>,
  by: string,
): Promise<Stored<FanOut> | undefined> => {
  const now = ports.clock.now()
  const taken = await changeFanOut(ports, start, (fan) => {
    if (isOver(fan) || (fan.pass && fan.pass.until > now)) return fan
    return { ...claimed(fan, by, now), claimed: Math.max(fan.claimed, fan.position.row + chunkRows) }
  })
  return taken.value.pass?.by === by ? taken : undefined
}

/** A pass that is kept: `isMine` until a sign of life is so late that another may have begun. */
export type Pass = { isMine: () => boolean; stop: () => void }

/** Gives signs of life for a pass while it works. */
export const keepPass = (ports: Ports, taken: FanOut, by: string): Pass => {
  const { tenant, id } = taken
  const stopping = new AbortController()
  let until = taken.pass?.until ?? 0
  const renew = async (): Promise<void> => {
    const start = await findFanOut(ports, tenant, id)
    if (start?.value.pass?.by !== by || stopping.signal.aborted) return
    const now = ports.clock.now()
    const kept = await changeFanOut(ports, start, (fan) => (fan.pass?.by === by ? claimed(fan, by, now) : fan))
    if (kept.value.pass?.by === by) until = kept.value.pass.until
  }
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await ports.clock.sleep(renewMs, stopping.signal).catch(() => undefined)
      if (stopping.signal.aborted) return
      await renew().catch((error: unknown) =>
        ports.telemetry.log('warn', 'a pass was not renewed; it may be repeated', { id, error: String(error) }),
      )
    }
  }
  void loop()
  return { isMine: () => ports.clock.now() < until, stop: () => stopping.abort() }
}

export const leavePass = async (ports: Ports, { tenant, id }: FanOut, by: string): Promise<void> => {
  const start = await findFanOut(ports, tenant, id)
  if (start === undefined) return
  const now = ports.clock.now()
  await changeFanOut(ports, start, (fan) => {
    if (fan.pass?.by !== by) return fan
    return { ...fan, pass: undefined, dueAt: isOver(fan) ? undefined : now + lookAgainMs }
  })
}

/** Ends whatever pass there is, since its process has ended, and asks for the next one. */
export const resumeFanOut = async (ports: Ports & Pick<Platform, 'queues'>, start: Stored<FanOut>): Promise<void> => {
  const now = ports.clock.now()
  const { tenant, id } = start.value
  await changeFanOut(ports, start, (fan) => (fan.pass ? { ...fan, pass: undefined, dueAt: now } : fan))
  await remind(ports, { tenant, id, at: now })
}
