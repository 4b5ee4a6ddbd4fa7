import { describe, expect, it, vi } from 'vitest'
import type { Column } from '#cli/server/faults/check/history.ts'
import type { Task } from '#shared/domain/tasks/task.ts'
import type { RunStep } from '#shared/domain/workflows/run.ts'
import type { FaultPlan } from './world/faults.ts'

const taken = vi.hoisted(() => ({ out: '' }))

vi.mock('#shared/domain/tasks/task-moves.ts', async (original) => {
  const moves = await original<typeof import('#shared/domain/tasks/task-moves.ts')>()
  return {
    ...moves,
    requireFence: (...[task, fence, writer]: Parameters<typeof moves.requireFence>) => {
      if (taken.out === 'fence') return task
      const generation = Number(task.lease?.fence.split('.')[0])
      return moves.requireFence(task, fence, taken.out === 'era' ? { ...writer, generation } : writer)
    },
    leaseTask: (...[task, lease]: Parameters<typeof moves.leaseTask>) =>
      moves.leaseTask(
        taken.out === 'epoch' && task.epoch > 0 ? { ...task, epoch: task.epoch - 1 } : (task as Task),
        lease,
      ),
  }
})

vi.mock('#shared/domain/tasks/task-time.ts', async (original) => {
  const moves = await original<typeof import('#shared/domain/tasks/task-time.ts')>()
  return {
    ...moves,
    passTime: (...[task, time]: Parameters<typeof moves.passTime>) => {
      const next = moves.passTime(task, time)
      const isLate = taken.out === 'look' && next !== task && next.status === 'QUEUED'
      return isLate ? { ...next, dueAt: (next.dueAt ?? 0) + 20 * 60_000 } : next
    },
  }
})

vi.mock('#shared/domain/limits/places.ts', async (original) => {
  const places = await original<typeof import('#shared/domain/limits/places.ts')>()
  return {
    ...places,
    takePlace: (...[ports, tenant, limit, place]: Parameters<typeof places.takePlace>) =>
      places.takePlace(ports, tenant, taken.out === 'bound' ? { ...limit, concurrency: Infinity } : limit, place),
    leavePlace: (...[ports, tenant, limit, place]: Parameters<typeof places.leavePlace>) =>
      taken.out === 'place' ? Promise.resolve(false) : places.leavePlace(ports, tenant, limit, place),
  }
})

vi.mock('#shared/domain/inboxes/new-letter.ts', async (original) => {
  const real = await original<typeof import('#shared/domain/inboxes/new-letter.ts')>()
  let times = 0
  return {
    ...real,
    newLetter: (...asked: Parameters<typeof real.newLetter>) => {
      const letter = real.newLetter(...asked)
      return taken.out === 'letter' ? { ...letter, id: `${letter.id}${times++}` } : letter
    },
  }
})

vi.mock('#shared/domain/inboxes/conversation.ts', async (original) => {
  const real = await original<typeof import('#shared/domain/inboxes/conversation.ts')>()
  return {
    ...real,
    joinConversation: async (...[ports, letter]: Parameters<typeof real.joinConversation>) =>
      taken.out === 'order' ? { letter, writes: [] } : real.joinConversation(ports, letter),
  }
})

vi.mock('#shared/domain/messages/message-store.ts', async (original) => {
  const real = await original<typeof import('#shared/domain/messages/message-store.ts')>()
  return {
    ...real,
    findMessage: async (...asked: Parameters<typeof real.findMessage>) => {
      const found = await real.findMessage(...asked)
      return taken.out === 'answer' && found?.value.envelope.kind === 'response' ? undefined : found
    },
    messagePuts: (...asked: Parameters<typeof real.messagePuts>) =>
      real.messagePuts(...asked).map((put) => (taken.out === 'answer' ? { ...put, expect: 'any' as const } : put)),
  }
})

vi.mock('#shared/domain/workflows/run-store.ts', async (original) => {
  const real = await original<typeof import('#shared/domain/workflows/run-store.ts')>()
  const open = (step: RunStep): RunStep => (taken.out === 'result' ? { ...step, state: 'RUNNING' } : step)
  return {
    ...real,
    findStep: async (...asked: Parameters<typeof real.findStep>) => {
      const found = await real.findStep(...asked)
      return found && { ...found, value: open(found.value) }
    },
    changeStep: (...[ports, start, change]: Parameters<typeof real.changeStep>) =>
      real.changeStep(ports, start, (step) => change(open(step))),
  }
})

vi.mock('#shared/platform/embedded/workflows/tokens.ts', async (original) => {
  const real = await original<typeof import('#shared/platform/embedded/workflows/tokens.ts')>()
  return {
    ...real,
    waitingFor: (...[draft, answer]: Parameters<typeof real.waitingFor>) => {
      const phase = draft.find(answer.path)?.phase
      const token = taken.out === 'token' && phase?.kind === 'task' ? phase.token : answer.token
      return real.waitingFor(draft, { ...answer, token })
    },
  }
})

vi.mock('#shared/domain/workflows/steps/step-command.ts', async (original) => {
  const real = await original<typeof import('#shared/domain/workflows/steps/step-command.ts')>()
  return {
    ...real,
    parseStepCommand: (body: unknown) => {
      const asked = real.parseStepCommand(body)
      return taken.out === 'late' && asked ? { ...asked, undoes: true } : asked
    },
  }
})

vi.mock('#shared/domain/workflows/workflow-store.ts', async (original) => {
  const real = await original<typeof import('#shared/domain/workflows/workflow-store.ts')>()
  return {
    ...real,
    loadCompiledOf: async (...asked: Parameters<typeof real.loadCompiledOf>) => {
      const compiled = await real.loadCompiledOf(...asked)
      return taken.out === 'undo' ? { ...compiled, undone: [] } : compiled
    },
  }
})

const { runSeed } = await import('./world/run-seed.ts')
const most = 200

type OfTasks = 'fence' | 'era' | 'epoch' | 'look' | 'bound' | 'place'
type OfMessages = 'letter' | 'order' | 'answer'
type OfRuns = 'result' | 'token' | 'late' | 'undo'
type Move = OfTasks | OfMessages | OfRuns | ''

/** Whether the checks say so of some seed when a part is taken out of the product. */
const isNoticed = async (
  column: Column,
  { move = '', ...options }: Parameters<typeof runSeed>[1] & { move?: Move },
): Promise<boolean> => {
  taken.out = move
  for (let seed = 1; seed <= most; seed++)
    if ((await runSeed(seed, options)).findings.some((finding) => finding.column === column)) return true
  return false
}

describe('the checks notice within 200 seeds that', { timeout: 120_000 }, () => {
  it('nobody compares fences', async () => {
    expect(await isNoticed('stale_accepted', { move: 'fence' })).toBe(true)
  })

  it('a fence counts on after a restore', async () => {
    const plan: FaultPlan = [400, 700, 1000].map((at) => ({ fault: 'F20', at }))
    expect(await isNoticed('stale_accepted', { move: 'era', plan })).toBe(true)
  })

  it('a lease takes no new epoch', async () => {
    expect(await isNoticed('duplicated', { move: 'epoch' })).toBe(true)
  })

  it('a limit is counted and bounds nothing', async () => {
    expect(await isNoticed('illegal_transition', { move: 'bound' })).toBe(true)
  })

  it('nobody gives the place of a limit back', async () => {
    expect(await isNoticed('stuck', { move: 'place' })).toBe(true)
  })

  it('writes happen whatever revision is stored', async () => {
    expect(await isNoticed('illegal_transition', { sabotage: 'cas' })).toBe(true)
  })

  it('nothing sweeps', async () => {
    expect(await isNoticed('stuck', { sabotage: 'sweep' })).toBe(true)
  })

  it('what a queue lost is looked for late', async () => {
    const plan: FaultPlan = [{ fault: 'F8', at: 200, calls: 900, probability: 1 }]
    expect(await isNoticed('stuck', { move: 'look', plan })).toBe(true)
  })

  it('a restore keeps the generation', async () => {
    const kills: FaultPlan = [200, 500, 800].map((at, who) => ({ fault: 'F4', at, who }))
    const plan: FaultPlan = [...kills, { fault: 'F20', at: 700 }, { fault: 'F20', at: 1000 }]
    expect(await isNoticed('duplicated', { sabotage: 'generation', plan })).toBe(true)
  })

  it('a mailbox takes a match as often as it comes', async () => {
    const plan: FaultPlan = [{ fault: 'F9', at: 100, calls: 900, probability: 0.15 }]
    expect(await isNoticed('duplicated', { move: 'letter', plan })).toBe(true)
  })

  it('letters of one conversation do not wait for each other', async () => {
    expect(await isNoticed('illegal_transition', { move: 'order' })).toBe(true)
  })

  it('a request is answered by whoever comes', async () => {
    expect(await isNoticed('duplicated', { move: 'answer' })).toBe(true)
  })

  it('what came of a step is recorded as often as it is told', async () => {
    expect(await isNoticed('duplicated', { move: 'result' })).toBe(true)
  })

  it('a machine takes an answer whatever token it has', async () => {
    expect(await isNoticed('stale_accepted', { move: 'token' })).toBe(true)
  })

  it('steps begin while their run undoes', async () => {
    expect(await isNoticed('unexpected', { move: 'late' })).toBe(true)
  })

  it('nothing is undone', async () => {
    expect(await isNoticed('lost', { move: 'undo' })).toBe(true)
  })
})
