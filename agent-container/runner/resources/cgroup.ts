import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Resources } from '../../sdk/resources.ts'

/**
 * A control group of version 2 for one task: nothing that the task starts gets out of it. What the host delegates of
 * memory, processes and processors is bounded by the kernel; the rest is left to looks at the processes.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
export type Cgroup = {
  /** Whether the kernel shares the processors out. */
  sharesCpu: boolean
  add(pid: number): void
  pids(): Set<number>
  /** What the kernel refused the task, or ended it for. */
  exceeded(): 'memory' | 'processes' | undefined
  killAll(): void
  /** Waits a moment for processes that are being ended; what is left then is removed by the next runner. */
  remove(): Promise<void>
}

const read = (folder: string, file: string): string => {
  try {
    return readFileSync(join(folder, file), 'utf8')
  } catch {
    return '' // not delegated, or gone
  }
}

const write = (folder: string, file: string, value: string): boolean => {
  try {
    writeFileSync(join(folder, file), value)
    return true
  } catch {
    return false // not delegated, or gone
  }
}

const isRemoved = (folder: string): boolean => {
  try {
    rmdirSync(folder)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

const remove = async (folder: string): Promise<void> => {
  for (let tries = 0; tries < 20 && !isRemoved(folder); tries++) await sleep(25)
}

/** Counts one kind of events, for instance `oom_kill`; 0 where there are none. */
const countOf = (folder: string, file: string, event: string): number =>
  Number(new RegExp(`^${event} (\\d+)`, 'm').exec(read(folder, file))?.[1] ?? 0)

/** The group of this process in the hierarchy of version 2; `undefined` where there is none. */
const ownGroup = (): string | undefined => {
  const mount = /^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(read('/proc/self', 'mountinfo'))?.[1]
  const path = /^0::(.*)$/m.exec(read('/proc/self', 'cgroup'))?.[1]
  return mount === undefined || path === undefined ? undefined : join(mount, path)
}

/** All groups of one folder of workspaces begin with this. */
const prefixOf = (workspaces: string): string =>
  `devcycle-${createHash('sha256').update(workspaces).digest('hex').slice(0, 16)}-`

const limit = (group: string, { cpu, memoryMb, processes }: Resources): boolean => {
  if (write(group, 'memory.max', String(memoryMb * 1024 ** 2))) {
    write(group, 'memory.swap.max', '0')
    write(group, 'memory.oom.group', '1')
  }
  write(group, 'pids.max', String(processes))
  return cpu !== undefined && write(group, 'cpu.max', `${Math.round(cpu * 100_000)} 100000`)
}

/** Makes the group of a task; `undefined` where this host does not allow it. */
export const createCgroup = (workspace: string, resources: Resources, base = ownGroup()): Cgroup | undefined => {
  if (base === undefined) return undefined
  const group = join(base, `${prefixOf(dirname(workspace))}${basename(workspace)}`)
  try {
    mkdirSync(group)
  } catch {
    return undefined
  }
  for (const controller of ['memory', 'pids', 'cpu']) write(base, 'cgroup.subtree_control', `+${controller}`)
  const sharesCpu = limit(group, resources)
  return {
    sharesCpu,
    add: (pid) => void write(group, 'cgroup.procs', String(pid)),
    pids: () => new Set(read(group, 'cgroup.procs').split('\n').filter(Boolean).map(Number)),
    exceeded() {
      if (countOf(group, 'memory.events', 'oom_kill') > 0) return 'memory'
      return countOf(group, 'pids.events', 'max') > 0 ? 'processes' : undefined
    },
    killAll: () => void write(group, 'cgroup.kill', '1'),
    remove: () => remove(group),
  }
}

/** Ends what is left in groups of this folder of workspaces, and removes them. */
export const removeLeftGroups = async (workspaces: string, base = ownGroup()): Promise<void> => {
  const left = base === undefined ? [] : readdirSync(base).filter((name) => name.startsWith(prefixOf(workspaces)))
  for (const group of left.map((name) => join(base ?? '', name))) {
    write(group, 'cgroup.kill', '1')
    await remove(group)
  }
}
