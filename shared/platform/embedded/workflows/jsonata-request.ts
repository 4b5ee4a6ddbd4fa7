import { compile, isFunction, type Limits, reasonOf, whyNoJson } from './jsonata-functions.ts'

/** `limits.timeout`: milliseconds of the processor. */
export type WorkerRequest = {
  source: string
  bindings: Record<string, unknown>
  limits: Limits
  mostCharacters: number
}
/** `json` is the result as text, `undefined` when there is none. */
export type WorkerAnswer = { json?: string } | { reason: string }

/** What does not end by its own limits, such as one long match of a pattern, ends with the process, which exits with the code. */
export const mostMs = 2000
export const tooLongCode = 3

export const processorMs = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000

/** Limits whose time is what this thread had of the processor: a machine that is busy, or was asleep, ends no expression. */
const ofProcessor = ({ timeout, ...others }: Limits): Limits => {
  const began = Date.now()
  const before = process.threadCpuUsage()
  return {
    ...others,
    get timeout() {
      const isEarly = Date.now() - began <= timeout
      return isEarly || processorMs(process.threadCpuUsage(before)) > timeout ? timeout : Infinity
    },
  }
}

/** Evaluates an expression within its limits, and says why when that fails. */
export const answerRequest = async ({
  source,
  bindings,
  limits,
  mostCharacters,
}: WorkerRequest): Promise<WorkerAnswer> => {
  try {
    const value: unknown = await compile(source, ofProcessor(limits)).evaluate(undefined, bindings)
    if (isFunction(value)) return {}
    const reason = whyNoJson(value)
    if (reason !== undefined) return { reason }
    const json = JSON.stringify(value) as string | undefined
    return (json?.length ?? 0) > mostCharacters ? { reason: `the result has ${json?.length} characters` } : { json }
  } catch (error) {
    return { reason: reasonOf(error) }
  }
}
