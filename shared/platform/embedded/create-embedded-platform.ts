import { join, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { createEgress } from '../egress.ts'
import type { EgressAllowance } from '../egress-target.ts'
import type { AgentHosts, Clock, LogLevel, Platform, Random, Telemetry } from '../platform.ts'
import { createSystemClock, createSystemRandom } from '../system.ts'
import { makeFolder } from './durable-file.ts'
import { createFileObjects, type FileObjects } from './file-objects.ts'
import { lockFolder } from './folder-lock.ts'
import { readGeneration } from './generation.ts'
import { createJsonTelemetry, type JsonTelemetry } from './json-telemetry.ts'
import { openLogFile } from './log-file.ts'
import { createMemoryQueues } from './memory-queues.ts'
import { createPresigner, type Verified } from './presigner.ts'
import { keepPrivate } from './private-files.ts'
import { createProcessBus, type ProcessBus } from './process-bus.ts'
import { startPurging } from './purge.ts'
import { createSocketRealtime, type SocketRealtime } from './socket-realtime.ts'
import { createSqliteFeed } from './sqlite-feed.ts'
import { openDatabase } from './sqlite-schema.ts'
import { createSqliteTable } from './sqlite-table.ts'
import { createEmbeddedWorkflows, type EmbeddedWorkflows } from './workflows/embedded-workflows.ts'
import { startWriter, type WriterThread } from './writer-thread.ts'

/** Agent hosts that own processes, to be ended with the platform. */
export type ClosableHosts = AgentHosts & { close(): Promise<void> }

export type EmbeddedOptions = {
  dataDir: string
  /** The origin of addresses that this process signs; known once it listens. */
  baseUrl: () => string
  hosts: (ports: { clock: Clock; telemetry: Telemetry }) => ClosableHosts
  /** Where log lines go. @default DIR/server.log */
  log?: (line: string) => void
  /** The least that is logged; spans are `debug`. @default info */
  logLevel?: LogLevel
  clock?: Clock
  random?: Random
  /** Targets of webhooks that may be called although they are not public. @default none */
  egressAllow?: EgressAllowance
}

export type EmbeddedPlatform = Platform & {
  bus: ProcessBus
  objects: FileObjects
  workflows: EmbeddedWorkflows
  realtime: SocketRealtime
  metricsText(): Promise<string>
  /** What a signed address of this platform allows. */
  verifyPresigned(url: URL, method: string): Verified | undefined
  /** Drains and ends supervised processes. */
  closeHosts(): Promise<void>
  /** Nobody waits for a change any more: who does, or would, goes on with what is stored. */
  endWaits(): void
  /** Flushes and closes the storage; the folder is free again. */
  close(): Promise<void>
}

/** What one branch of a run may hold, with all its variables. */
const maxRunBytes = 16 * 1024 * 1024

/** What has to be closed, the last first; also when opening stops halfway. */
type Closing = (() => unknown)[]

const closeAll = async (closing: Closing): Promise<void> => {
  for (const close of closing.splice(0).reverse()) await close()
}

/** The whole platform in one process over one data folder. */
export const createEmbeddedPlatform = async (options: EmbeddedOptions): Promise<EmbeddedPlatform> => {
  const closing: Closing = []
  try {
    return await open({ ...options, dataDir: resolve(options.dataDir) }, closing)
  } catch (error) {
    await closeAll(closing)
    throw error
  }
}

const open = async (options: EmbeddedOptions, closing: Closing): Promise<EmbeddedPlatform> => {
  const { dataDir, baseUrl, clock = createSystemClock(), random = createSystemRandom() } = options
  await makeDataFolder(dataDir)
  closing.push(lockFolder(dataDir).release)
  const telemetry = openTelemetry(options, clock, closing)
  const { writer, reader } = await openStorage(join(dataDir, 'devcycle.db'), closing)
  const shared = { reader, writer, clock, random }
  const main = createSqliteTable({ name: 'main', ...shared })
  const volatile = createSqliteTable({ name: 'volatile', ...shared })
  const runs = createSqliteTable({ name: 'workflows', ...shared, maxBytes: maxRunBytes, cached: false }) // runs keep themselves
  const feed = createSqliteFeed({ reader, writer, clock, telemetry })
  const queues = createMemoryQueues({ clock, written: writer.written })
  const presigner = createPresigner({ dataDir, baseUrl, clock, random })
  const purging = startPurging({ writer, clock, telemetry })
  const hosts = options.hosts({ clock, telemetry })
  const workflows = createEmbeddedWorkflows({ table: runs, clock, random, telemetry })
  closing.push(workflows.close, runs.close, main.close, volatile.close, queues.close, feed.close, purging.stop)

  return {
    main,
    volatile,
    feed,
    queues,
    objects: createFileObjects({ root: join(dataDir, 'objects'), presigner }),
    bus: createProcessBus({ onError: (error) => telemetry.log('error', 'a listener of the bus failed', { error }) }),
    egress: createEgress({ allow: options.egressAllow }),
    realtime: createSocketRealtime({ baseUrl }),
    hosts,
    workflows,
    telemetry,
    clock,
    random,
    generation: readGeneration(dataDir),
    metricsText: telemetry.metricsText,
    verifyPresigned: presigner.verify,
    closeHosts: () => hosts.close(),
    endWaits() {
      main.close()
      volatile.close()
    },
    close: () => closeAll(closing),
  }
}

const makeDataFolder = async (dataDir: string): Promise<void> => {
  try {
    await makeFolder(dataDir)
    await keepPrivate(dataDir)
  } catch (cause) {
    throw new Error(`the data folder ${dataDir} cannot be used: ${(cause as Error).message}`, { cause })
  }
}

const openTelemetry = ({ dataDir, log, logLevel }: EmbeddedOptions, clock: Clock, closing: Closing): JsonTelemetry => {
  const common = { level: logLevel, now: () => clock.now() }
  if (log) return createJsonTelemetry({ ...common, write: log })
  const { write, flush, close } = openLogFile({ file: join(dataDir, 'server.log') })
  closing.push(close)
  return createJsonTelemetry({ ...common, write, flush })
}

const openStorage = async (file: string, closing: Closing): Promise<{ writer: WriterThread; reader: DatabaseSync }> => {
  const writer = await startWriter(file)
  closing.push(writer.close)
  const reader = openDatabase(file, { readOnly: true })
  closing.push(() => reader.close())
  return { writer, reader }
}
