import { createHmac, randomUUID } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import type { Answer, TestApi } from './api.ts'

/** Makes a hook and answers how to post to it as the sender of the scheme would. */
export const aHook = async (api: TestApi, { scheme = 'standard-webhooks', ...more }: Record<string, string>) => {
  const { status, body: hook } = await api.post('/hooks', { name: `hook-${randomUUID()}`, scheme, ...more })
  if (status !== 201) throw new Error(`no hook was made: ${status} ${JSON.stringify(hook)}`)
  const post = (body: string, headers: Record<string, string>): Promise<Answer> =>
    api.request('POST', `/hooks/${hook.name}`, { body, key: null, headers })
  return {
    hook,
    post,
    send: (payload: object, { id = randomUUID(), secret = hook.secret as string, at = new Date() } = {}) => {
      const body = JSON.stringify(payload)
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': new Webhook(secret).sign(id, at, body),
      }
      return post(body, headers)
    },
    sendAsGithub: (event: string, payload: object, { id = randomUUID(), secret = hook.secret as string } = {}) => {
      const body = JSON.stringify(payload)
      const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
      return post(body, { 'x-github-event': event, 'x-github-delivery': id, 'x-hub-signature-256': signature })
    },
  }
}
