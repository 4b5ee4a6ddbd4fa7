import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createSocketRealtime, type Socket } from '#shared/platform/embedded/socket-realtime.ts'
import { eventually } from '#test/support/eventually.ts'
import { type OpenSocket, realtimeContract } from './realtime-contract.ts'

realtimeContract('sockets of one process', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const realtime = createSocketRealtime({ baseUrl: () => `http://127.0.0.1:${port}` })
  let opened = 0
  const open = async (): Promise<OpenSocket> => {
    const id = `con_${opened++}`
    const served = new Promise<void>((resolve) =>
      server.once('connection', (socket) => {
        realtime.attach(id, socket)
        socket.on('close', () => realtime.detach(id))
        resolve()
      }),
    )
    const client = new WebSocket(`ws://127.0.0.1:${port}`)
    const received: string[] = []
    let end: { code?: number; reason?: string } | undefined
    client.on('message', (data) => received.push(String(data)))
    client.on('close', (code, reason) => {
      end = { code, reason: String(reason) }
    })
    await Promise.all([once(client, 'open'), served])
    return { id, received: () => received, hangUp: () => client.terminate(), ended: () => end }
  }
  const close = async (): Promise<void> => {
    for (const client of server.clients) client.terminate()
    server.close()
  }
  return { realtime, open, close }
})

describe('sockets of one process', () => {
  const aSocket = () => {
    const log: string[] = []
    const socket = {
      bufferedAmount: 0,
      send: (text: string) => void log.push(text),
      close: (code: number) => void log.push(`closed ${code}`),
      terminate: () => void log.push('terminated'),
    } satisfies Socket
    return { log, socket }
  }
  const baseUrl = () => 'http://127.0.0.1:8787'

  test('keep no more for one that does not read than a bound', async () => {
    const realtime = createSocketRealtime({ baseUrl, mostBuffered: 100 })
    const { log, socket } = aSocket()
    realtime.attach('con_1', socket)
    socket.bufferedAmount = 100
    expect(await realtime.push('con_1', 'a')).toBe('SENT')
    socket.bufferedAmount = 101
    expect(await realtime.push('con_1', 'b')).toBe('BEHIND')
    socket.bufferedAmount = 0
    expect(await realtime.push('con_1', 'c')).toBe('SENT')
    expect(log).toEqual(['a', 'c'])
  })

  test('end one that does not take its end', async () => {
    const realtime = createSocketRealtime({ baseUrl, closeMs: 10 })
    const { log, socket } = aSocket()
    realtime.attach('con_1', socket)
    await realtime.close('con_1', { code: 1013, reason: 'x' })
    await eventually(() => expect(log).toEqual(['closed 1013', 'terminated']))
  })

  test('let one that is behind read until its end, and no longer than a bound', async () => {
    const realtime = createSocketRealtime({ baseUrl, closeMs: 10, drainMs: 400 })
    const [reads, stuck] = [aSocket(), aSocket()]
    for (const [id, { socket }] of Object.entries({ reads, stuck })) {
      socket.bufferedAmount = 100
      realtime.attach(id, socket)
      await realtime.close(id, { code: 1013, reason: 'x' })
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(reads.log).toEqual(['closed 1013'])
    reads.socket.bufferedAmount = 0
    await eventually(() => expect(reads.log).toEqual(['closed 1013', 'terminated']))
    expect(stuck.log).toEqual(['closed 1013'])
    await eventually(() => expect(stuck.log).toEqual(['closed 1013', 'terminated']))
  })

  test('are so many at most, with those that are being closed', async () => {
    const realtime = createSocketRealtime({ baseUrl, mostSockets: 1 })
    expect([1, 2].map((at) => realtime.attach(`con_${at}`, aSocket().socket))).toEqual([true, false])
    await realtime.close('con_1', { code: 1013, reason: 'x' })
    expect(realtime.attach('con_2', aSocket().socket)).toBe(false)
    realtime.detach('con_1')
    expect(realtime.attach('con_2', aSocket().socket)).toBe(true)
  })

  test('are found under the name that the server is known by', () => {
    const realtime = createSocketRealtime({ baseUrl })
    expect(realtime.url()).toBe('ws://127.0.0.1:8787/api/v2/ws')
    expect(realtime.url('box:80')).toBe('ws://box:80/api/v2/ws')
  })
})
