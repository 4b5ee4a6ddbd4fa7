import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { freePort } from './free-port.ts'
import { until } from './server-process.ts'

const require = createRequire(import.meta.url)

/** The DynamoDB server of this platform's npm package; there is one for Linux on x64 alone. */
export const dynoxideBinary = (): string | undefined => {
  try {
    return require.resolve('@dynoxide/linux-x64/dynoxide')
  } catch {
    return undefined
  }
}

export const noDynoxide = '@dynoxide/linux-x64 is not installed here (it exists for Linux on x64 alone)'

export type TestServer = { endpoint: string; stop: () => Promise<void> }

/** A DynamoDB server in memory. */
export const startDynoxide = async (): Promise<TestServer> => {
  const binary = dynoxideBinary()
  if (binary === undefined) throw new Error(noDynoxide)
  const port = await freePort()
  const child = spawn(binary, ['serve', '--host', '127.0.0.1', '--port', String(port)], { stdio: 'ignore' })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const endpoint = `http://127.0.0.1:${port}`
  const answers = (): Promise<boolean> =>
    fetch(endpoint).then(
      () => true,
      () => false,
    )
  await until(answers, { what: 'dynoxide' })
  return {
    endpoint,
    async stop() {
      process.off('exit', kill)
      kill()
      await ended
    },
  }
}
