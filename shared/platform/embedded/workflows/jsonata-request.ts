import { compile, isFunction, type Limits, reasonOf } from './jsonata-functions.ts'

export type WorkerRequest = {
  source: string
  bindings: Record<string, unknown>
  limits: Limits
  mostCharacters: number
}
/** `json` is the result as text, `undefined` when there is none. */
export type WorkerAnswer = { json?: string } | { reason: string }

/** Evaluates an expression within its limits, and says why when that fails. */
export const answerRequest = async ({
  source,
  bindings,
  limits,
  mostCharacters,
}: WorkerRequest): Promise<WorkerAnswer> => {
  try {
    const value: unknown = await compile(source, limits).evaluate(undefined, bindings)
    const json = JSON.stringify(value, (_, part: unknown) => (isFunction(part) ? undefined : part)) as
      | string
      | undefined
    return (json?.length ?? 0) > mostCharacters ? { reason: `the result has ${json?.length} characters` } : { json }
  } catch (error) {
    return { reason: reasonOf(error) }
  }
}
