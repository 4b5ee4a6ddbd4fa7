import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createCgroup, removeLeftGroups } from '#agent/runner/resources/cgroup.ts'
import { refusedTo } from '#agent/runner/resources/watch.ts'
import { resourcesOf } from '#agent/sdk/resources.ts'
import { eventually } from '#test/support/eventually.ts'

const limits = resourcesOf({ resources: 'small' })
const folders: string[] = []
const aFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'devcycle-cgroup-'))
  folders.push(folder)
  return folder
}
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

/** A hierarchy as a folder of files: what the kernel is told, and what it tells. */
const aHierarchy = async () => {
  const base = await aFolder()
  const group = createCgroup('/var/agents/slot-1', limits, base)
  const [name = ''] = readdirSync(base).filter((one) => one.startsWith('devcycle-'))
  const fileOf = (file: string): string => join(base, name, file)
  return {
    group,
    told: (file: string) => readFileSync(fileOf(file), 'utf8'),
    tell: (file: string, text: string) => writeFileSync(fileOf(file), text),
  }
}

describe('the control group of a task', () => {
  it('bounds its memory, its processes and its share of the processors', async () => {
    const { group, told } = await aHierarchy()
    expect(told('memory.max')).toBe(String(512 * 1024 ** 2))
    expect([told('memory.swap.max'), told('memory.oom.group'), told('pids.max')]).toEqual(['0', '1', '64'])
    expect(told('cpu.max')).toBe('50000 100000')
    expect(group?.sharesCpu).toBe(true)
  })

  it('says what the kernel ended or refused the task for', async () => {
    const { group, tell } = await aHierarchy()
    expect(refusedTo(limits, group)).toBeUndefined()
    tell('pids.events', 'max 3\n')
    expect(refusedTo(limits, group)).toMatchObject({ resource: 'processes', limit: 64 })
    tell('memory.events', 'low 0\noom 1\noom_kill 1\n')
    expect(refusedTo(limits, group)).toMatchObject({ resource: 'memory', limit: 512, unit: 'MB' })
  })

  it('is not there where the host does not allow it', () => {
    expect(createCgroup('/var/agents/slot-1', limits, '/no/such/hierarchy')).toBeUndefined()
    expect(refusedTo(limits, undefined)).toBeUndefined()
  })
})

const here = createCgroup(join(tmpdir(), 'probe', 'slot'), limits)
await here?.remove()

describe.skipIf(!here)(`a real control group${here ? '' : ' (left out: this host does not allow any)'}`, () => {
  it('has what left its group, its parent and its environment, and ends it', async () => {
    const folder = await aFolder()
    const child = spawn('bash', [
      '-c',
      `read; env -i setsid bash -c 'echo $$ > ${folder}/pid; sleep 60' & disown; exit 0`,
    ])
    const group = createCgroup(join(folder, 'slot'), limits)
    group?.add(child.pid ?? 0)
    child.stdin.end('go\n')
    await once(child, 'exit')
    const pid = await eventually(() => {
      const found = Number(readFileSync(join(folder, 'pid'), 'utf8'))
      expect(found).toBeGreaterThan(0)
      return found
    })
    expect(group?.pids().has(pid)).toBe(true)
    group?.killAll()
    await group?.remove()
    await eventually(() => expect(group?.pids().size).toBe(0))
  })

  it('that a runner left behind is removed with what is in it', async () => {
    const folder = await aFolder()
    mkdirSync(join(folder, 'slot'))
    const child = spawn('sleep', ['60'])
    const ended = once(child, 'exit')
    const group = createCgroup(join(folder, 'slot'), limits)
    group?.add(child.pid ?? 0)
    await removeLeftGroups(folder)
    expect(await ended).toEqual([null, 'SIGKILL'])
    expect(group?.pids().size).toBe(0)
  })
})
