import { expect } from 'vitest'
import type { TestApi } from './api.ts'

type Mail = { position: string; receives: number; message: { id: string; data: unknown; dataref?: string } }

/** Sends messages, and reads the mailboxes that they come to. */
export const mailOver = (api: () => TestApi) => {
  const anAgent = async (name: string, more: object = {}): Promise<string> => {
    expect((await api().post('/agents', { name, ...more })).status).toBe(201)
    return name
  }
  const send = async (to: object, more: object = {}, headers = {}) =>
    api().post('/messages', { to, type: 'note.left', ...more }, { headers })
  const receive = async (agent: string, query = '', headers = {}): Promise<Mail[]> =>
    (await api().get(`/mailboxes/${agent}/messages?${query}`, { headers })).body.items
  const dataOf = (mail: Mail[]) => mail.map(({ message }) => message.data)
  const ack = async (agent: string, body: object) =>
    (await api().post(`/mailboxes/${agent}/ack`, body)).body.acknowledged
  const lettersOf = async (id: string) => (await api().get(`/messages/${id}`)).body.letters
  return { anAgent, send, receive, dataOf, ack, lettersOf }
}
