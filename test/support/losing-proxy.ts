import { createServer, request } from 'node:http'
import type { TestServer } from './dynoxide.ts'

export type LosingProxy = TestServer & {
  /** The answers to the next requests whose operation is one of these are lost: done there, never heard of here. */
  lose: (...operations: string[]) => void
}

/** Stands before an AWS endpoint and cuts the connection where an answer should have come. */
export const startLosingProxy = async (target: string): Promise<LosingProxy> => {
  const losing: string[] = []
  const server = createServer((incoming, outgoing) => {
    const operation = String(incoming.headers['x-amz-target']).split('.').at(-1) ?? ''
    const { method, headers, url = '/' } = incoming
    const forwarded = request(new URL(url, target), { method, headers }, (answer) => {
      const at = losing.indexOf(operation)
      if (at === -1) {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(outgoing)
        return
      }
      losing.splice(at, 1)
      answer.resume().once('end', () => outgoing.destroy())
    })
    forwarded.once('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    lose: (...operations) => void losing.push(...operations),
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
