import type { Item, Key, Platform, Stored } from '../../platform/platform.ts'
import { saveItem } from '../contention.ts'
import { dueIndex } from '../dispatch/due.ts'
import { newRev } from '../ids.ts'
import type { Replay } from './replay.ts'

type Ports = Pick<Platform, 'main' | 'clock' | 'random'>

/** A replay is forgotten after this time. */
const keepMs = 7 * 24 * 3_600_000

const replayKey = (tenant: string, id: string): Key => ({ pk: `${tenant}#replay#${id}`, sk: 'head' })

const replayItem = (replay: Replay): Item<Replay> => ({
  ...replayKey(replay.tenant, replay.id),
  type: 'replay',
  value: replay,
  ...(replay.dueAt !== undefined && { index: { due: dueIndex(replay.dueAt, replay.tenant, replay.id) } }),
  expiresAt: replay.createdAt + keepMs,
})

/** Stores a new replay. `undefined`: stored; else the one that has this id already. */
export const createReplay = async (ports: Ports, replay: Replay): Promise<Replay | undefined> => {
  const write = { op: 'put', item: replayItem(replay), expect: 'absent', rev: newRev(ports) } as const
  const outcome = await ports.main.write(write)
  return outcome.ok ? undefined : (outcome.conflicts[0]?.current as Stored<Replay> | undefined)?.value
}

export const findReplay = (
  { main }: Pick<Platform, 'main'>,
  tenant: string,
  id: string,
): Promise<Stored<Replay> | undefined> => main.get<Replay>(replayKey(tenant, id))

/** Saves a changed replay if nobody else did; `undefined`: somebody came first. */
export const saveReplay = (
  ports: Ports,
  found: Pick<Stored, 'rev'>,
  replay: Replay,
): Promise<Stored<Replay> | undefined> => saveItem(ports, found, replayItem(replay))
