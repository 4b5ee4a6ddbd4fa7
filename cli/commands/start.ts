import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CliError, exitCodes } from '../failure.ts'
import { startServer } from '../server/embedded-server.ts'
import { runTour, tourIsDue } from '../server/tour.ts'

/** As the command line and `DEVCYCLE_*` give them. */
export type StartOptions = {
  port: number
  host: string
  data: string
  /** Folders of the user's own agents. */
  agent: string[]
  /** `false`: registers and starts none. */
  agents: boolean
  tour: boolean
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const builtInRoot = `${root}agent-container/agents/`

/** The agents that come with the product: every folder there that has an `agent.ts`. */
const builtIn = (): string[] =>
  readdirSync(builtInRoot)
    .map((name) => `${builtInRoot}${name}`)
    .filter((folder) => existsSync(`${folder}/agent.ts`))

const version = (): string => (JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }).version

const agentFolders = ({ agent, agents }: StartOptions): string[] =>
  agents ? [...builtIn(), ...agent.map((path) => resolve(path))] : []

/** What the operating system says, as a sentence that says what to do. */
const explain = (error: unknown, { host, port, data }: StartOptions): string => {
  const code = (error as NodeJS.ErrnoException)?.code ?? ''
  const rows: Record<string, string> = {
    EADDRINUSE: `port ${port} on ${host} is in use; choose another with --port (0 takes any free one)`,
    EADDRNOTAVAIL: `this machine has no address ${host}; choose another with --host`,
    EACCES: `no permission for port ${port} or the data folder ${data}`,
    ENOTDIR: `${data} is not a folder; choose another with --data`,
    EROFS: `${data} is on a read-only file system; choose another with --data`,
  }
  return rows[code] ?? (error instanceof Error ? error.message : String(error))
}

const checkAgents = (folders: string[]): void => {
  for (const folder of folders)
    if (!existsSync(folder))
      throw new CliError(`there is no agent folder ${folder}; --agent takes a folder with agent.ts`, 1)
}

/** Starts the embedded server, tours a new installation, and serves until it is told to stop. */
export const start = async (options: StartOptions): Promise<void> => {
  const folders = agentFolders(options)
  checkAgents(folders)
  const began = performance.now()
  const server = await startServer({
    dataDir: resolve(options.data),
    host: options.host,
    port: options.port,
    agents: folders,
    version: version(),
  }).catch((error: unknown) => {
    throw new CliError(explain(error, options), 1, { cause: error })
  })
  const stopped = untilToldToStop()
  console.log(`DevCycle ${version()} is ready at ${server.url} (${Math.round(performance.now() - began)} ms)`)
  console.log(`  data   ${resolve(options.data)}`)
  console.log(
    `  agents ${folders.length === 0 ? 'none' : folders.map((folder) => folder.split('/').at(-1)).join(', ')}`,
  )
  const dataDir = resolve(options.data)
  const due = options.tour && tourIsDue(dataDir, folders)
  const touring = due ? runTour(server, { dataDir, repository: process.cwd(), signal: stopped.signal }) : undefined
  await stopped.promise
  console.log('stopping: no new work, finishing what runs …')
  await touring
  await server.close()
  console.log('stopped')
}

/** npm passes a Ctrl-C on that the terminal has sent already: so close together, two signals are one. */
const sameSignalMs = 1000

/** The first signal asks to stop; a second one does not wait. */
const untilToldToStop = (): { promise: Promise<void>; signal: AbortSignal } => {
  const controller = new AbortController()
  const { promise, resolve: told } = Promise.withResolvers<void>()
  let first = 0
  const onSignal = (): void => {
    if (controller.signal.aborted && Date.now() - first > sameSignalMs) process.exit(exitCodes.interrupted)
    if (controller.signal.aborted) return
    first = Date.now()
    controller.abort()
    told()
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal)
  return { promise, signal: controller.signal }
}
