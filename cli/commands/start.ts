import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { allowanceText, isAllowance } from '#shared/platform/egress-target.ts'
import { writeCompiled } from '../compile-cache.ts'
import { CliError, exitCodes, usageError } from '../failure.ts'
import { checkReadable, checkWritable } from '../input/files.ts'
import { plain } from '../render/terminal.ts'
import { type EmbeddedServer, startServer } from '../server/embedded-server.ts'
import { type FaultPlan, readFaultPlan } from '../server/faults/plan.ts'
import { giveBackMemory } from '../server/give-back-memory.ts'
import { runTour, tourIsDue } from '../server/tour.ts'

/** As the command line and `DEVCYCLE_*` give them. */
export type StartOptions = {
  port: number
  host: string
  data: string
  /** Folders of the user's own agents. */
  agent: string[]
  /** Targets of webhooks that may be called although they are not public. */
  egressAllow: string[]
  /** `false`: registers and starts none. */
  agents: boolean
  tour: boolean
  /** File of what goes wrong on purpose. */
  faultPlan?: string
  /** File that every operation is written to. */
  history?: string
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

type SystemError = NodeJS.ErrnoException & { errcode?: number }

/** https://www.sqlite.org/rescode.html: SQLITE_CORRUPT, SQLITE_NOTADB */
const damaged = new Set([11, 26])

/** What the operating system or the storage says, as a sentence that says what to do. */
const explain = (error: SystemError, { host, port, data }: StartOptions): string => {
  const rows: Record<string, string> = {
    EADDRINUSE: `port ${port} on ${host} is in use; choose another with --port (0 takes any free one)`,
    EADDRNOTAVAIL: `this machine has no address ${host}; choose another with --host`,
    ENOTFOUND: `the host ${host} has no address; --host takes an address of this machine, such as 127.0.0.1`,
    EAI_AGAIN: `the host ${host} could not be looked up; --host takes an address of this machine, such as 127.0.0.1`,
    EACCES:
      error.syscall === 'listen'
        ? `no permission for port ${port} on ${host}; choose another with --port (0 takes any free one)`
        : `no permission for ${error.path ?? data}; choose another data folder with --data`,
    ENOTDIR: `${data} is not a folder; choose another with --data`,
    EROFS: `${data} is on a read-only file system; choose another with --data`,
  }
  if (damaged.has(error.errcode ?? 0))
    return `${resolve(data, 'devcycle.db')} is damaged (${error.message}); restore a backup of the data folder, or choose another with --data`
  return rows[error.code ?? ''] ?? error.message
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
  const dataDir = resolve(options.data)
  const server = await bringUp(options, dataDir, folders)
  const stopped = untilToldToStop()
  writeCompiled()
  giveBackMemory()
  const due = options.tour && tourIsDue(dataDir, folders)
  const touring = due ? runTour(server, { dataDir, repository: process.cwd(), signal: stopped.signal }) : undefined
  await stopped.promise
  console.log('stopping: no new work, finishing what runs …')
  await touring
  await server.close()
  console.log('stopped')
  process.exit() // a look-up of a name that the system is slow to answer would hold the process
}

const planOf = (file: string): FaultPlan => {
  const refuse = (error: unknown, wanted = ''): never => {
    throw new CliError(`--fault-plan: ${(error as Error).message}${wanted}`, exitCodes.usage, { cause: error })
  }
  try {
    checkReadable(file)
  } catch (error) {
    refuse(error, '; give a file of JSON with the rules')
  }
  try {
    return readFaultPlan(file)
  } catch (error) {
    return refuse(error)
  }
}

const historyOf = (file: string): string => {
  const path = resolve(file)
  try {
    checkWritable(path)
    return path
  } catch (error) {
    const message = `--history: ${(error as Error).message}; give a file in a folder that is there`
    throw new CliError(message, exitCodes.usage, { cause: error })
  }
}

const allowanceOf = ({ egressAllow }: StartOptions): string[] => {
  const entries = egressAllow.flatMap((one) => one.split(',').map((entry) => entry.trim())).filter(Boolean)
  const wrong = entries.find((entry) => !isAllowance(entry))
  if (wrong !== undefined) throw usageError(`--egress-allow ${wrong}: ${allowanceText}`)
  return entries
}

const bringUp = async (options: StartOptions, dataDir: string, agents: string[]): Promise<EmbeddedServer> => {
  const { host, port } = options
  const egressAllow = allowanceOf(options)
  const began = performance.now()
  const faultPlan = options.faultPlan === undefined ? undefined : planOf(options.faultPlan)
  const history = options.history === undefined ? undefined : historyOf(options.history)
  const onFailedAgent = (folder: string, reason: string): void =>
    console.error(`agent ${basename(folder)} does not start: ${plain(reason)}; see ${join(dataDir, 'server.log')}`)
  const server = await startServer({
    dataDir,
    host,
    port,
    agents,
    egressAllow,
    version: version(),
    faultPlan,
    history,
    onFailedAgent,
  }).catch((error: unknown) => {
    throw new CliError(error instanceof Error ? explain(error, options) : String(error), 1, { cause: error })
  })
  console.log(`DevCycle ${version()} is ready at ${server.url} (${Math.round(performance.now() - began)} ms)`)
  console.log(`  data   ${dataDir}`)
  console.log(
    `  agents ${agents.length === 0 ? 'none' : `starting: ${agents.map((folder) => basename(folder)).join(', ')}`}`,
  )
  return server
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
