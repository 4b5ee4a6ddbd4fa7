import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

const headerBytes = 12
const typeA = 1

/** The name that a query asks for, its type, and where its question ends: https://www.rfc-editor.org/rfc/rfc1035#section-4.1 */
const questionOf = (query: Buffer): { name: string; type: number; end: number } => {
  const labels: string[] = []
  let at = headerBytes
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 }
}

const answerTo = (query: Buffer, end: number, address: string | undefined): Buffer => {
  const answer = Buffer.from(query.subarray(0, end))
  answer.writeUInt16BE(0x8180, 2) // an answer, recursively found, without an error
  answer.writeUInt32BE(address === undefined ? 0 : 1 << 16, 6)
  answer.writeUInt16BE(0, 10)
  if (address === undefined) return answer
  const record = [0xc0, headerBytes, 0, typeA, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split('.').map(Number)]
  return Buffer.concat([answer, Buffer.from(record)])
}

/** A server of names that says nothing to what it does not know. */
export const startDns = async (names: Record<string, string>) => {
  const socket = createSocket('udp4')
  let asked = 0
  socket.on('message', (query, { port, address }) => {
    asked++
    const { name, type, end } = questionOf(query)
    const known = names[name]
    if (known !== undefined) socket.send(answerTo(query, end, type === typeA ? known : undefined), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    server: `127.0.0.1:${(socket.address() as AddressInfo).port}`,
    asked: () => asked,
    stop: () => socket.close(),
  }
}
