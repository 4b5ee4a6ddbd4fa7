import { enableCompileCache, flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

/** Belongs to whoever the code belongs to: nobody else can put other code there. */
const folder = fileURLToPath(new URL('../node_modules/.cache/devcycle', import.meta.url))

/**
 * Keeps sources as they were compiled, for this process and the threads it starts: from the second start on they are
 * not stripped of their types again, which costs time and memory. Where the folder cannot be written, nothing changes.
 */
export const keepCompiled = (): void => {
  const { directory } = enableCompileCache(folder)
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= folder
}

/** Writes what was compiled until now; otherwise that is done when the process ends by itself. */
export const writeCompiled = (): void => flushCompileCache()
