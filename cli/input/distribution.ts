import type { SubmitTask } from '#shared/contracts/tasks.ts'
import { usageError } from '../failure.ts'
import { readJson } from './task-input.ts'

export type DistributionOptions = {
  shards?: string
  join?: string
  quorum?: number
  onFailure?: 'fail' | 'continue'
  maxInFlight?: number
}

type Distribution = Pick<SubmitTask, 'shards' | 'join' | 'quorum' | 'onFailure' | 'maxInFlight'>

/** `0..1000/50`: from 0 to below 1000 in steps of 50. */
const rangeOf = (text: string): { from: number; to: number; size: number } | undefined => {
  const [, from, to, size] = /^(-?\d{1,15})\.\.(-?\d{1,15})\/(\d{1,15})$/.exec(text) ?? []
  return size === undefined ? undefined : { from: Number(from), to: Number(to), size: Number(size) }
}

const wantedShards = '--shards takes FROM..TO/SIZE, a JSON list of inputs, {"split": {"capability": …}}, @file or -'

/** A range, a list of inputs, or what the API takes. */
const shardsOf = async (text: string): Promise<SubmitTask['shards']> => {
  const range = rangeOf(text)
  if (range) return { range }
  if (/^[^\s[{"@]*\.\./.test(text)) throw usageError(wantedShards)
  const given = await readJson(text, '--shards')
  if (Array.isArray(given)) return { list: given }
  if (given !== null && typeof given === 'object') return given as SubmitTask['shards']
  throw usageError(wantedShards)
}

/** How a task is divided, as options say it. */
export const distributionOf = async (options: DistributionOptions): Promise<Distribution> => {
  const { shards, join, quorum, onFailure, maxInFlight } = options
  if (shards === undefined && [join, quorum, onFailure, maxInFlight].some((one) => one !== undefined))
    throw usageError('--join, --quorum, --on-failure and --max-in-flight need --shards')
  if (shards === undefined) return {}
  const joined = join === undefined || join === 'list' ? join : { capability: join }
  return { shards: await shardsOf(shards), join: joined, quorum, onFailure, maxInFlight }
}
