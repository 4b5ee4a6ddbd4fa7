import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

export type RunningProcess = { pid: number; parent: number; group: number; session: number; residentBytes: number }

const numberAfter = (status: string, name: string) =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)

const readStatus = async (pid: number): Promise<RunningProcess | undefined> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined)
  if (status === undefined) return undefined
  return {
    pid,
    parent: numberAfter(status, 'PPid'),
    group: numberAfter(status, 'NSpgid'),
    session: numberAfter(status, 'NSsid'),
    residentBytes: numberAfter(status, 'VmRSS') * 1024,
  }
}

const pidsOfProc = async (): Promise<number[]> =>
  (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number)

/** Where there is no `/proc`, `ps` says the same, without sessions. */
const askPs = async (): Promise<RunningProcess[]> => {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,pgid=,rss='])
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid = 0, parent = 0, group = 0, kib = 0]) => ({ pid, parent, group, session: 0, residentBytes: kib * 1024 }))
}

/** Every process of this machine that may be looked at. */
export const runningProcesses = async (): Promise<RunningProcess[]> => {
  if (process.platform !== 'linux') return askPs().catch(() => [])
  const found = await Promise.all((await pidsOfProc()).map(readStatus))
  return found.filter((one) => one !== undefined)
}

/** A leader, what is in its group or session, and all their descendants. */
export const treeOf = (leader: number, processes: RunningProcess[]): RunningProcess[] => {
  const own = new Set(
    processes.filter((one) => [one.pid, one.group, one.session].includes(leader)).map(({ pid }) => pid),
  )
  for (let size = -1; size !== own.size; ) {
    size = own.size
    for (const { pid, parent } of processes) if (own.has(parent)) own.add(pid)
  }
  return processes.filter(({ pid }) => own.has(pid))
}

/** Linux: the processes that were started with `NAME=value` in their environment, whatever has become of their parents. */
export const pidsWithVariable = async (name: string, value: string): Promise<number[]> => {
  const pids = process.platform === 'linux' ? await pidsOfProc() : []
  const marked = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
      return environment.split('\0').includes(`${name}=${value}`) ? [pid] : []
    }),
  )
  return marked.flat()
}
