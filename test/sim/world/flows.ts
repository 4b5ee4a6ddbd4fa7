import { workflowNames } from './draw-workflow.ts'
import type { Hands } from './people.ts'

type Started = { key: string; workflow: string; n: number; id?: string }
type Step = { approval?: string; state: string }

/** Somebody who starts runs of workflows, looks after them, decides what they ask, stops some and sets others going again. */
export const createStarter = (hands: Hands) => {
  const { send, sleep, random, principal, name } = hands
  const started: Started[] = []

  const start = async (one: Started): Promise<void> => {
    const { key, workflow, n } = one
    for (let tries = 1 + random.below(4); tries > 0; tries--) {
      const reply = await send({ principal, operation: 'startRun', params: { workflow }, body: { input: { n } }, key })
      if (reply.status === 202) one.id = String(reply.body.id)
      if (reply.status !== 0 && reply.status < 500) return
      await sleep(random.between(50, 3000))
    }
  }
  const startNew = (): Promise<void> => {
    const one = { key: `${name}-f${started.length}`, workflow: random.pick(workflowNames), n: random.below(4) }
    started.push(one)
    return start(one)
  }
  const decide = async (run: string): Promise<void> => {
    const { body } = await send({ principal, operation: 'getRun', params: { run } })
    for (const { approval, state } of (body.steps ?? []) as Step[])
      if (approval !== undefined && state === 'RUNNING')
        await send({
          principal,
          operation: random.chance(0.7) ? 'approve' : 'reject',
          params: { approval },
          body: {},
        })
  }
  const stop = async (run: string): Promise<void> =>
    void (await send({ principal, operation: 'stopRun', params: { run }, body: {} }))
  const redrive = async (run: string): Promise<void> =>
    void (await send({ principal, operation: 'redriveRun', params: { run }, body: {} }))

  const habits: [number, (run: string) => Promise<void>][] = [
    [0.6, decide],
    [0.75, stop],
    [1, redrive],
  ]
  return async (): Promise<void> => {
    const old = started.length > 0 && random.chance(0.65) ? random.pick(started) : undefined
    if (old === undefined) return startNew()
    if (old.id === undefined || random.chance(0.15)) return start(old)
    const ticket = random.number()
    await habits.find(([below]) => ticket < below)?.[1](old.id)
  }
}
