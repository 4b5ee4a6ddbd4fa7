import type { ClosableHosts } from '#shared/platform/embedded/create-embedded-platform.ts'

/** A host on which nothing runs by itself: the test plays the instances. */
export const noHosts = (): ClosableHosts => ({
  scale: async () => undefined,
  instances: async () => [],
  drain: async () => undefined,
  stop: async () => undefined,
  protect: async () => undefined,
  close: async () => undefined,
})
