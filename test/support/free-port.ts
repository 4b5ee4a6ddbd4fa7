import { createServer } from 'node:net'

/** Below those that systems give away: nothing else takes one before the test does, nor while its server is away. */
const [first, count] = [10_000, 22_000]
let next = process.pid * 16

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/** A port of loopback that nothing listens on. */
export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < count; tries++) {
    const port = first + (next++ % count)
    if (await isFree(port)) return port
  }
  throw new Error(`no port from ${first} to ${first + count - 1} is free`)
}
