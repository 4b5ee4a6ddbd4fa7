import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeLeftGroups } from './resources/cgroup.ts'
import { killLeftovers } from './resources/kill.ts'

/** A folder for the workspaces of a runner, named after its process; those of runners that are no more are removed, with what runs in them. */
export const makeRoot = (base = tmpdir()): string => {
  mkdirSync(base, { recursive: true })
  for (const name of readdirSync(base)) {
    const pid = /^devcycle-(\d+)-/.exec(name)?.[1]
    if (pid === undefined || isRunning(Number(pid))) continue
    killLeftovers(join(base, name))
    void removeLeftGroups(join(base, name))
    rmSync(join(base, name), { recursive: true, force: true })
  }
  return mkdtempSync(join(base, `devcycle-${process.pid}-`))
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
