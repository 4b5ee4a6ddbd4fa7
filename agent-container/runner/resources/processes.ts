import { readdirSync, readFileSync } from 'node:fs'

/** One process as `/proc` shows it. Times are seconds of processor time, those of ended children included. */
export type ProcessRow = {
  pid: number
  parent: number
  group: number
  /** Together with `pid` unique while the machine runs. */
  startedAt: number
  cpuSeconds: number
  memoryBytes: number
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; both are fixed for programs on Linux. */
const ticksPerSecond = 100
const pageBytes = 4096

/** Fields after the name, which may itself contain anything. */
const parse = (pid: number, text: string): ProcessRow => {
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15)
  return {
    pid,
    parent: fields[1] ?? 0,
    group: fields[2] ?? 0,
    startedAt: fields[19] ?? 0,
    cpuSeconds: (user + system + childUser + childSystem) / ticksPerSecond,
    memoryBytes: (fields[21] ?? 0) * pageBytes,
  }
}

const readOne = (pid: number): ProcessRow[] => {
  try {
    return [parse(pid, readFileSync(`/proc/${pid}/stat`, 'utf8'))]
  } catch {
    return [] // it ended meanwhile
  }
}

/** Every process of this machine, or of this container; none where there is no `/proc`. */
export const readProcesses = (): ProcessRow[] => {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => readOne(Number(pid)))
  } catch {
    return []
  }
}

/** Bytes that a process and its ended children had written to storage; 0 where that is not told. */
export const bytesWritten = (pid: number): number => {
  try {
    return Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** A variable of the environment that a process began with. */
export const variableOf = (pid: number, name: string): string | undefined => {
  try {
    const found = readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .find((one) => one.startsWith(`${name}=`))
    return found?.slice(name.length + 1)
  } catch {
    return undefined
  }
}
