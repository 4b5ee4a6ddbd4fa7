import { afterAll, expect, it } from 'vitest'
import { loadBody } from '#shared/domain/bodies/body.ts'
import { newId } from '#shared/domain/ids.ts'
import { loadEvent } from '#shared/domain/topics/load-event.ts'
import { publish } from '#shared/domain/topics/publish.ts'
import type { Run } from '#shared/domain/workflows/run.ts'
import { runPk, stepsOf } from '#shared/domain/workflows/run-store.ts'
import { wakeStep } from '#shared/domain/workflows/steps/wake-step.ts'
import type { CloudEvent } from '#shared/platform/platform.ts'
import { aPlatform } from '#test/support/embedded.ts'
import { meanwhile } from '#test/support/meanwhile.ts'
import { atEveryMoment, runsByHand } from '#test/support/runs-by-hand.ts'

const tenant = 'default'
const { platform, close } = await aPlatform()
afterAll(close)
const { save, start, commandOf, take } = runsByHand(platform)

const by = { actor: 'test', action: 'test', request: 'test' }
const anAnswer = async (run: Run): Promise<CloudEvent> => {
  const envelope = { id: newId('msg', platform), source: 'test', type: 'answer', time: platform.clock.now() }
  return loadEvent(platform, await publish(platform, tenant, { topic: 'answers', envelope, data: { run: run.id } }, by))
}
/** What each step of a run was ended by. */
const eventsOf = async (run: Run) =>
  Promise.all(
    (await stepsOf(platform, run)).map(async ({ value: { output: body } }) => {
      const event = (await loadBody(platform, { tenant, pk: runPk(tenant, run.id), body })) as CloudEvent | undefined
      return event?.id
    }),
  )

it('of two events that come at once, at whatever moment, one ends the step that waits and the other the next one', async () => {
  const waits = { kind: 'waitForEvent', topic: 'answers', correlation: { run: '{% $run.id %}' } }
  const workflow = await save('answered-twice', [
    { name: 'first', ...waits },
    { name: 'second', ...waits },
  ])
  const moments = await atEveryMoment(async (moment) => {
    const run = await start(workflow)
    await take(await commandOf(run, 'first'))
    const [step] = await stepsOf(platform, run)
    const place = { tenant, run: run.id, id: step?.value.id ?? '' }
    const [one, other] = [await anAnswer(run), await anAnswer(run)]
    const during = meanwhile(platform, moment, () => wakeStep(platform, place, other))
    await wakeStep(during.platform, place, one)
    await take(await commandOf(run, 'second'))
    const about = `write ${moment.nth}, ${moment.after ? 'stored' : 'not stored'}`
    expect((await eventsOf(run)).sort(), about).toEqual([one.id, other.id].sort())
    return during.happened()
  })
  expect(moments).toBeGreaterThanOrEqual(2)
})
