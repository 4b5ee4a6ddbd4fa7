import { describe, expect, it } from 'vitest'
import { openSession } from '#agent/runner/session.ts'
import { aFakePlatform, refusal } from './fake-platform.ts'

const progress = { method: 'POST' as const, path: '/tasks/tsk_1/progress' }

describe('a session', () => {
  it('sends a request again that was refused while its token was being renewed', async () => {
    const renewed = Promise.withResolvers<void>()
    let joins = 0
    const platform = aFakePlatform({
      async answer({ path, token }) {
        if (path === '/instances' && ++joins === 2) await renewed.promise
        if (path === '/instances')
          return { status: 201, body: { ...platform.joined, token: `token-${joins}`, tokenExpiresIn: 0.2 } }
        return token === 'token-1' && joins === 2 ? refusal(401, 'UNAUTHENTICATED') : undefined
      },
    })
    const signal = AbortSignal.timeout(5000)
    const options = { source: platform.source, agent: 'a', slots: 1, signal, onToken: () => undefined }
    const session = await openSession(options)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const answer = session.send(progress)
    renewed.resolve()
    expect(await answer).toMatchObject({ status: 202 })
    expect(platform.to('progress').map(({ token }) => token)).toEqual(['token-1', 'token-2'])
    session.close()
  })

  it('passes on a refusal of the newest token, and waits for no renewal longer than it may', async () => {
    const platform = aFakePlatform({
      answer: ({ path }) => (path === '/instances' ? undefined : refusal(401, 'UNAUTHENTICATED')),
    })
    const signal = AbortSignal.timeout(5000)
    const options = { source: platform.source, agent: 'a', slots: 1, signal, onToken: () => undefined }
    const session = await openSession(options)
    expect(await session.send({ ...progress, signal: AbortSignal.timeout(10) })).toMatchObject({ status: 401 })
    expect(platform.to('progress')).toHaveLength(1)
    session.close()
  })
})
