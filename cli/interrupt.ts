import { CliError, exitCodes } from './failure.ts'

const signals = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const

/**
 * Does something that Ctrl-C may end early: `work` gets the chance to tidy up, then `farewell` is told. The second
 * Ctrl-C does not wait.
 */
export const interruptible = async <T>(
  work: (signal: AbortSignal) => Promise<T>,
  farewell: () => string,
): Promise<T> => {
  const stopping = new AbortController()
  let code: number = exitCodes.interrupted
  const stop = (name: NodeJS.Signals): void => {
    code = signals[name as keyof typeof signals]
    if (stopping.signal.aborted) process.exit(code)
    stopping.abort()
  }
  for (const name of Object.keys(signals)) process.on(name, stop)
  try {
    return await work(stopping.signal)
  } catch (error) {
    throw stopping.signal.aborted ? new CliError(farewell(), code) : error
  } finally {
    for (const name of Object.keys(signals)) process.off(name, stop)
  }
}
