import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ClosableHosts,
  createEmbeddedPlatform,
  type EmbeddedPlatform,
} from '#shared/platform/embedded/create-embedded-platform.ts'
import type { Clock } from '#shared/platform/platform.ts'

/** A host on which nothing runs by itself: the test plays the instances. */
export const noHosts = (): ClosableHosts => ({
  scale: async () => undefined,
  instances: async () => [],
  drain: async () => undefined,
  stop: async () => undefined,
  protect: async () => undefined,
  close: async () => undefined,
})

/** The real embedded platform over a folder that goes away with `close`. */
export const aPlatform = async (
  folder?: string,
  clock?: Clock,
  egressAllow?: string[],
): Promise<{ platform: EmbeddedPlatform; dataDir: string; close: () => Promise<void> }> => {
  const home = folder ?? (await mkdtemp(join(tmpdir(), 'devcycle-test-')))
  const dataDir = join(home, 'data')
  const platform = await createEmbeddedPlatform({
    dataDir,
    baseUrl: () => 'http://127.0.0.1:1',
    hosts: noHosts,
    log: () => undefined,
    clock,
    egressAllow,
  })
  const close = async (): Promise<void> => {
    await platform.close()
    if (folder === undefined) await rm(home, { recursive: true, force: true })
  }
  return { platform, dataDir, close }
}

/** Parsed JSON, of whatever shape the test expects. */
type Json = ReturnType<typeof JSON.parse>

export type Answer = { status: number; headers: Headers; body: Json }
