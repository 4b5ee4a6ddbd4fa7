import { describe, expect, it } from 'vitest'
import type { Task } from '#shared/domain/tasks/task.ts'
import { createSimFeed } from './engine/feed.ts'
import { createSimObjects } from './engine/objects.ts'
import { createSeeded } from './engine/random.ts'
import { createTimeline } from './engine/timeline.ts'
import { faultNames, printPlan } from './world/faults.ts'
import { runSeed } from './world/run-seed.ts'
import { describeFailure } from './world/trace.ts'

/** What became of what was said, in the words of its records. */
const fates = [
  ...['letter DONE', 'letter DEAD', 'match DELIVERED', 'message SENT'],
  ...['run SUCCEEDED', 'run FAILED', 'run STOPPED', 'run-step SUCCEEDED', 'run-step FAILED', 'run-step ABANDONED'],
]

const people = [
  'cancelTask',
  'giveInput',
  'approve',
  'reject',
  'retryTask',
  'createSchedule',
  'deleteSchedule',
  'sendMessage',
  'replyToMessage',
  'acknowledgeMail',
  'redriveMail',
  'startRun',
  'stopRun',
  'redriveRun',
]

describe('the simulated world', { timeout: 120_000 }, () => {
  it('restores the log of changes to an earlier backup and to a later one', () => {
    const feed = createSimFeed({ random: createSeeded('feed'), types: ['task'] })
    const append = (pk: string) => feed.append({ at: 0, key: { pk, sk: 'head' }, type: 'task' })
    const early = feed.backup()
    for (const pk of ['a', 'b']) append(pk)
    const late = feed.backup()
    feed.restore(early)
    append('c')
    expect(feed.next(9).changes.map(({ key }) => key.pk)).toEqual(['c'])
    feed.restore(late)
    expect(new Set(feed.next(9).changes.map(({ key }) => key.pk))).toEqual(new Set(['a', 'b']))
  })

  it('reads large bodies in the virtual moment in which they are asked for', async () => {
    const timeline = createTimeline(0)
    const objects = createSimObjects()
    const key = { tenant: 'default', id: 'large' }
    objects.put(key, Buffer.from('x'.repeat(100_000)))
    const read: number[] = []
    timeline.at(1, () => void new Response(objects.get(key)?.body).text().then(({ length }) => read.push(length)))
    timeline.at(2, () => read.push(0))
    await timeline.run(() => false)
    expect(read).toEqual([100_000, 0])
  })

  it('is the same again for the same seed', async () => {
    const story = async () => {
      const { world, fired } = await runSeed(7)
      const changes = world.commits.map(
        ({ at, key, after }) => `${at - world.timeline.start} ${key.pk} ${JSON.stringify(after?.index?.due?.pk)}`,
      )
      return {
        changes,
        calls: world.calls.map(({ operation, answer }) => `${operation} ${answer?.status}`),
        plan: printPlan(fired),
      }
    }
    const first = await story()
    await runSeed(8, { steps: 20 })
    expect(await story()).toEqual(first)
  })

  it('loses, doubles and forgets nothing, whatever goes wrong in sixty schedules', async () => {
    const failures: string[] = []
    const faults = new Set<string>()
    const ends = new Set<string>()
    const accepted = new Set<string>()
    const fated = new Set<string>()
    for (let seed = 1; seed <= 60; seed++) {
      const run = await runSeed(seed)
      if (run.findings.length > 0) failures.push(describeFailure(run))
      for (const { fault } of run.fired) faults.add(fault)
      for (const { operation, answer } of run.world.calls) if ((answer?.status ?? 500) < 300) accepted.add(operation)
      for (const { type, value } of run.world.main.rows()) fated.add(`${type} ${(value as { state?: string }).state}`)
      for (const { after } of run.world.commits) ends.add((after?.value as Task | undefined)?.status ?? '')
    }
    expect(failures).toEqual([])
    expect([...faults].sort()).toEqual(Object.keys(faultNames).sort())
    expect([...ends]).toEqual(
      expect.arrayContaining(['SCHEDULED', 'QUEUED', 'RUNNING', 'WAITING', 'SUCCEEDED', 'FAILED', 'CANCELLED']),
    )
    expect([...fated]).toEqual(expect.arrayContaining(fates))
    expect([...accepted]).toEqual(expect.arrayContaining(people))
  })
})
