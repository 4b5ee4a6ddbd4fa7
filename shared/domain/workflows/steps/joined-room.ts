import type { Platform } from '../../../platform/platform.ts'
import { planObject } from '../../bodies/body.ts'
import { systemStamp } from '../../caller.ts'
import type { JoinedWith, RunStep } from '../run.ts'
import { runPk } from '../run-store.ts'
import { smallFields } from './small-fields.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'clock'>

/** What results have together that a block joins: of the 256 KiB of a state, with room for what goes on beside them. */
const joinedBytes = 248 * 1024
/** What is around one in what joins it. */
const aroundBytes = 24
/** A reference alone takes as much; with fields beside it, as long as all take no more than an eighth of the room. */
const leastBytes = 48
const mostBytes = 512

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value ?? null))

/** What each result has for itself. */
const partOf = ({ of }: JoinedWith): number =>
  Math.max(leastBytes, Math.min(mostBytes, Math.floor(joinedBytes / 8 / Math.max(of, 1))))

/** What is left for all together. */
const sharedBy = (joined: JoinedWith): number =>
  Math.max(0, joinedBytes - Math.ceil(joined.of) * (partOf(joined) + aroundBytes))

/** Takes of what the results of a block share, if so much is left; what is taken twice is nobody's. */
const takes = async (
  { main }: Ports,
  { tenant, run }: RunStep,
  joined: JoinedWith,
  bytes: number,
): Promise<boolean> => {
  const max = sharedBy(joined)
  if (bytes > max) return false
  return (await main.add({ pk: runPk(tenant, run), sk: `room#${joined.block}` }, bytes, { max })) !== undefined
}

/** What a step answers as its block has room for it: itself, or a reference (to what it is `kept` as) with the small fields that fit. */
export const fitting = async (ports: Ports, step: RunStep, output: unknown, kept?: string): Promise<unknown> => {
  const { joined } = step
  if (joined === undefined) return output
  const [bytes, part] = [bytesOf(output), partOf(joined)]
  if (bytes <= part || (await takes(ports, step, joined, bytes - part))) return output
  const $ref = kept ?? (await keep(ports, step, output))
  return { ...smallFields(output, { field: part, all: part - leastBytes }), $ref }
}

/** Equal results of a run are one object. */
const keep = async (ports: Ports, { tenant, run }: RunStep, value: unknown): Promise<string> => {
  const place = { tenant, pk: runPk(tenant, run), sk: 'joined', stamp: systemStamp('run.step') }
  const { body, items } = await planObject(ports, { ...place, value })
  for (const item of items) await ports.main.write({ op: 'put', item, expect: 'any' })
  return body.id
}
