import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentHosts, Clock, Platform, Telemetry } from '../platform.ts'
import { createSystemClock, createSystemRandom } from '../system.ts'
import { createFileObjects } from './file-objects.ts'
import { lockFolder } from './folder-lock.ts'
import { readGeneration } from './generation.ts'
import { createJsonTelemetry } from './json-telemetry.ts'
import { createMemoryQueues } from './memory-queues.ts'
import { createPresigner, type Verified } from './presigner.ts'
import { createProcessBus, type ProcessBus } from './process-bus.ts'
import { createSqliteFeed } from './sqlite-feed.ts'
import { openDatabase } from './sqlite-schema.ts'
import { createSqliteTable } from './sqlite-table.ts'
import { startWriter } from './writer-thread.ts'

/** Agent hosts that own processes, to be ended with the platform. */
export type ClosableHosts = AgentHosts & { close(): Promise<void> }

export type EmbeddedOptions = {
  dataDir: string
  /** The origin of addresses that this process signs; known once it listens. */
  baseUrl: () => string
  hosts: (ports: { clock: Clock; telemetry: Telemetry }) => ClosableHosts
  /** Where log lines go. @default DIR/server.log */
  log?: (line: string) => void
  clock?: Clock
}

export type EmbeddedPlatform = Platform & {
  bus: ProcessBus
  metricsText(): Promise<string>
  /** What a signed address of this platform allows. */
  verifyPresigned(url: URL, method: string): Verified | undefined
  /** Drains and ends supervised processes. */
  closeHosts(): Promise<void>
  /** Flushes and closes the storage; the folder is free again. */
  close(): Promise<void>
}

const purgeEveryMs = 60_000
const keepChangesMs = 24 * 3_600_000

/** The whole platform in one process over one data folder. */
export const createEmbeddedPlatform = async (options: EmbeddedOptions): Promise<EmbeddedPlatform> => {
  const { dataDir, baseUrl, clock = createSystemClock() } = options
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const lock = lockFolder(dataDir)
  const random = createSystemRandom()
  const file = join(dataDir, 'devcycle.db')
  const logFile = options.log ? undefined : openSync(join(dataDir, 'server.log'), 'a', 0o600)
  const write = options.log ?? ((line: string) => void writeSync(logFile ?? 2, line))
  const telemetry = createJsonTelemetry({ write, now: () => clock.now() })
  const writer = await startWriter(file).catch((error: unknown) => {
    lock.release()
    throw error
  })
  const reader = openDatabase(file, { readOnly: true })
  const shared = { reader, writer, clock, random }
  const queues = createMemoryQueues({ clock })
  const presigner = createPresigner({ dataDir, baseUrl })
  const hosts = options.hosts({ clock, telemetry })
  const purge = (): void => {
    const now = clock.now()
    writer
      .send({ kind: 'purge', now, changesBefore: now - keepChangesMs })
      .catch((error: unknown) => telemetry.log('warn', 'old items were not purged', { error: String(error) }))
  }
  const purging = setInterval(purge, purgeEveryMs)
  purging.unref()

  return {
    main: createSqliteTable({ name: 'main', ...shared }),
    volatile: createSqliteTable({ name: 'volatile', ...shared }),
    feed: createSqliteFeed({ reader, writer, clock, telemetry }),
    queues,
    objects: createFileObjects({ root: join(dataDir, 'objects'), presigner }),
    bus: createProcessBus(),
    hosts,
    telemetry,
    clock,
    random,
    generation: readGeneration(dataDir),
    metricsText: () => telemetry.metricsText(),
    verifyPresigned: (url, method) => presigner.verify(url, method),
    closeHosts: () => hosts.close(),
    async close() {
      clearInterval(purging)
      queues.close()
      await writer.close()
      reader.close()
      if (logFile !== undefined) closeSync(logFile)
      lock.release()
    },
  }
}
