import type { Resources } from '../../sdk/resources.ts'
import type { Cgroup } from './cgroup.ts'
import { folderSize } from './folder-size.ts'
import { killUntilNone, markName, signal } from './kill.ts'
import { createMeter, type Measured } from './meter.ts'
import { createMarks, membersOf } from './process-tree.ts'
import { type ProcessRow, readProcesses } from './processes.ts'
import { createThrottle } from './throttle.ts'

/** What a task took too much of. */
export type Excess = { resource: 'memory' | 'disk' | 'processes'; used: number; limit: number; unit: 'MB' | '' }

const marks = createMarks(markName)

type Watched = {
  root: number
  mark: string
  workspace: string
  limits: Resources
  cgroup?: Cgroup
  onExcess: (excess: Excess) => void
}

const everyMs = 250
const diskEveryMs = 1000
const megabyte = 1024 ** 2

const excessOf = (limits: Resources, memoryMb: number, processes: number): Excess | undefined => {
  if (memoryMb > limits.memoryMb)
    return { resource: 'memory', used: Math.round(memoryMb), limit: limits.memoryMb, unit: 'MB' }
  if (processes > limits.processes) return { resource: 'processes', used: processes, limit: limits.processes, unit: '' }
  return undefined
}

/** What the kernel itself kept a task from taking. */
export const refusedTo = (limits: Resources, cgroup: Cgroup | undefined): Excess | undefined => {
  const resource = cgroup?.exceeded()
  if (resource === undefined) return undefined
  return resource === 'memory'
    ? { resource, used: limits.memoryMb, limit: limits.memoryMb, unit: 'MB' }
    : { resource, used: limits.processes, limit: limits.processes, unit: '' }
}

/** Looks after one task: measures its processes, slows them down, and says when they take too much. */
const createWatch = ({ root, mark, workspace, limits, cgroup, onExcess }: Watched) => {
  const members = (rows: ProcessRow[]): ProcessRow[] => {
    const grouped = cgroup?.pids()
    return membersOf(rows, root, (row) => grouped?.has(row.pid) || marks.of(row) === mark)
  }
  const meter = createMeter()
  const throttle = limits.cpu === undefined || cgroup?.sharesCpu ? undefined : createThrottle(limits.cpu, signal)
  let [over, pausedUntil, diskAt, looking] = [false, 0, 0, false]

  const exceed = (excess: Excess): void => {
    if (over) return
    over = true
    throttle?.letGo()
    onExcess(excess)
  }
  const lookAtDisk = async (now: number): Promise<void> => {
    if (looking || now < diskAt) return
    looking = true
    diskAt = now + diskEveryMs
    const used = (await folderSize(workspace, limits.diskMb * megabyte)) / megabyte
    looking = false
    if (used > limits.diskMb) exceed({ resource: 'disk', used: Math.round(used), limit: limits.diskMb, unit: 'MB' })
  }

  return {
    see(rows: ProcessRow[], now: number, last = false): void {
      const own = members(rows)
      if (over || own.length === 0) return
      const memoryMb = meter.see(own, last)
      const excess = excessOf(limits, memoryMb, own.length) ?? refusedTo(limits, cgroup)
      if (excess) exceed(excess)
      if (over) return
      void lookAtDisk(now)
      if (throttle && now >= pausedUntil) pausedUntil = now + throttle.see(own, meter.measured().cpuSeconds, now)
    },
    /** Ends every process of the task, also those that left its group; what they used is looked at before. */
    killAll(): void {
      throttle?.letGo()
      meter.see(members(processesOf(performance.now())), true)
      cgroup?.killAll()
      killUntilNone(() => members(readProcesses()))
    },
    measured: meter.measured,
    letGo: (): void => throttle?.letGo(),
  }
}

type Watch = ReturnType<typeof createWatch>
const watches = new Set<Watch>()
let timer: NodeJS.Timeout | undefined

const freshMs = 50
let seen: { rows: ProcessRow[]; at: number } = { rows: [], at: Number.NEGATIVE_INFINITY }

/** To read all processes of a busy machine takes milliseconds: tasks that end at about one time share what was read. */
const processesOf = (now: number): ProcessRow[] => {
  if (now - seen.at > freshMs) seen = { rows: readProcesses(), at: now }
  return seen.rows
}

/** One look at all processes serves every task of this runner. */
const look = (): void => {
  const now = performance.now()
  const rows = processesOf(now)
  for (const watch of watches) watch.see(rows, now)
  marks.forgetEnded(rows)
}

export type ResourceWatch = {
  /** What was used until now; asked while the processes are there, it leaves nothing out. */
  measured(): Measured
  killAll(): void
  stop(): void
}

/** Watches the processes of a task until it is stopped. */
export const watchResources = (watched: Watched): ResourceWatch => {
  const watch = createWatch(watched)
  watches.add(watch)
  timer ??= setInterval(look, everyMs).unref()
  return {
    measured() {
      const now = performance.now()
      watch.see(processesOf(now), now, true)
      return watch.measured()
    },
    killAll: watch.killAll,
    stop() {
      watch.letGo()
      watches.delete(watch)
      if (watches.size > 0) return
      clearInterval(timer)
      timer = undefined
    },
  }
}
