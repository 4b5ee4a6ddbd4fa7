import { buildApp } from 'fauxqs'
import type { TestServer } from './dynoxide.ts'

/** A server of SQS and S3 in memory, in this process; its own start function would listen on every address. */
export const startQueueServer = async (): Promise<TestServer> => {
  const app = buildApp({ logger: false })
  const endpoint = await app.listen({ port: 0, host: '127.0.0.1' })
  return { endpoint, stop: () => app.close() }
}
