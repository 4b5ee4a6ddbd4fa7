import { describe, expect, it, vi } from 'vitest'
import type { Task } from '#shared/domain/tasks/task.ts'
import type { Run } from './world/run-seed.ts'

const taken = vi.hoisted(() => ({ out: '' }))

vi.mock('#shared/domain/tasks/task-moves.ts', async (original) => {
  const moves = await original<typeof import('#shared/domain/tasks/task-moves.ts')>()
  return {
    ...moves,
    requireFence: (...[task, fence, instance]: Parameters<typeof moves.requireFence>) =>
      taken.out === 'fence' ? task : moves.requireFence(task, fence, instance),
    leaseTask: (...[task, lease]: Parameters<typeof moves.leaseTask>) =>
      moves.leaseTask(
        taken.out === 'epoch' && task.epoch > 0 ? { ...task, epoch: task.epoch - 1 } : (task as Task),
        lease,
      ),
  }
})

const { runSeed } = await import('./world/run-seed.ts')
const most = 200

/** The first seed in which the checks notice what was taken out of the product. */
const noticed = async (part: string, options: Parameters<typeof runSeed>[1] = {}): Promise<Run | undefined> => {
  taken.out = part
  for (let seed = 1; seed <= most; seed++) {
    const run = await runSeed(seed, options)
    if (run.findings.length > 0) return run
  }
  return undefined
}

const columnsOf = (run: Run | undefined): string[] => [...new Set(run?.findings.map(({ column }) => column))]

describe('the checks notice within 200 seeds that', () => {
  it('nobody compares fences', async () => {
    expect(columnsOf(await noticed('fence'))).toContain('stale_accepted')
  })

  it('a lease takes no new epoch', async () => {
    expect(columnsOf(await noticed('epoch'))).toContain('duplicated')
  })

  it('writes happen whatever revision is stored', async () => {
    expect(columnsOf(await noticed('', { sabotage: 'cas' }))).not.toEqual([])
  })

  it('nothing sweeps', async () => {
    expect(columnsOf(await noticed('', { sabotage: 'sweep' }))).toContain('stuck')
  })

  it('a restore keeps the generation', async () => {
    expect(columnsOf(await noticed('', { sabotage: 'generation' }))).not.toEqual([])
  })
})
