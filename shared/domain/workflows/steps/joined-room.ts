import type { Platform } from '../../../platform/platform.ts'
import { planObject } from '../../bodies/body.ts'
import { systemStamp } from '../../caller.ts'
import type { JoinedWith, RunStep } from '../run.ts'
import { runPk } from '../run-store.ts'
import { refOf, smallFields } from './small-fields.ts'

type Ports = Pick<Platform, 'main' | 'objects' | 'clock'>

/** What results have together that a block joins: of the 256 KiB of a state, with room for what goes on beside them. */
const joinedBytes = 200 * 1024
/** One alone; the winner of a race is told in the 32,768 characters of a cause. */
const mostOfOne = 30_000
/** A reference alone takes as much. */
const leastBytes = 48
const largestField = 4096

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value ?? null))

/** Where results share, half of the room is divided among them, and the other half is for whoever comes with more. */
const sharedBytes = joinedBytes / 2
const partOf = ({ of, block }: JoinedWith): number => {
  const part = (block === undefined ? joinedBytes : sharedBytes) / Math.max(of, 1)
  return Math.min(Math.max(Math.floor(part), leastBytes), mostOfOne)
}

/** What is shared: less where there are so many results that references alone take more than half. */
const sharedBy = (joined: JoinedWith): number => Math.min(sharedBytes, joinedBytes - partOf(joined) * joined.of)

/** Takes of what the results of a block share, if so much is left; what is taken twice is nobody's. */
const takes = async ({ main }: Ports, { tenant, run, joined }: RunStep, bytes: number): Promise<boolean> => {
  if (joined?.block === undefined || bytes > sharedBy(joined)) return false
  const key = { pk: runPk(tenant, run), sk: `room#${joined.block}` }
  return (await main.add(key, bytes, { max: sharedBy(joined) })) !== undefined
}

/** What a step answers as its block has room for it: itself, or a reference with as many of its small fields as fit. */
export const fitting = async (ports: Ports, step: RunStep, output: unknown): Promise<unknown> => {
  if (step.joined === undefined) return output
  const [bytes, part] = [bytesOf(output), partOf(step.joined)]
  if (bytes <= part || (bytes <= mostOfOne && (await takes(ports, step, bytes - part)))) return output
  const $ref = refOf(output) ?? (await keep(ports, step, output))
  return { ...smallFields(output, { field: largestField, all: part - leastBytes }), $ref }
}

/** Equal results of a run are one object, so that ballots stay equal. */
const keep = async (ports: Ports, { tenant, run }: RunStep, value: unknown): Promise<string> => {
  const place = { tenant, pk: runPk(tenant, run), sk: 'joined', stamp: systemStamp('run.step') }
  const { body, items } = await planObject(ports, { ...place, value })
  for (const item of items) await ports.main.write({ op: 'put', item, expect: 'any' })
  return body.id
}
