import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import type { Client } from '#cli/client/client.ts'
import { watchChanges } from '#cli/client/socket.ts'

it('what a client is told while it looks at what came before, it gets without waiting for more', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  let told: Promise<unknown> = Promise.resolve()
  server.on('connection', (socket) =>
    socket.on('message', () => {
      socket.send(JSON.stringify({ type: 'subscribed', topic: 'tasks', rev: '1' }))
      told = sleep(50).then(() => socket.send(JSON.stringify({ type: 'changed', topic: 'tasks', id: 't', rev: '2' })))
    }),
  )
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = { request: async () => ({ url }) } as unknown as Client
  const seen: string[] = []
  for await (const { type } of watchChanges(client, { topic: 'tasks' })) {
    seen.push(type)
    if (type === 'changed') break
    await sleep(100)
    await told
    await sleep(100)
  }
  expect(seen).toEqual(['subscribed', 'changed'])
  server.close()
})
