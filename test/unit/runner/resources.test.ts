import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { killLeftovers, markName } from '#agent/runner/resources/kill.ts'
import { launchOf, launchProblem } from '#agent/runner/resources/launch.ts'
import { createMeter } from '#agent/runner/resources/meter.ts'
import { membersOf } from '#agent/runner/resources/process-tree.ts'
import type { ProcessRow } from '#agent/runner/resources/processes.ts'
import { createThrottle } from '#agent/runner/resources/throttle.ts'
import { type Excess, watchResources } from '#agent/runner/resources/watch.ts'
import { createSlot } from '#agent/runner/slot.ts'
import { type Resources, resourceClasses, resourcesOf } from '#agent/sdk/resources.ts'
import { eventually } from '#test/support/eventually.ts'

const row = (pid: number, change: Partial<ProcessRow> = {}): ProcessRow => ({
  pid,
  parent: 1,
  group: pid,
  startedAt: pid,
  cpuSeconds: 0,
  memoryBytes: 0,
  ...change,
})

describe('the bounds of an agent', () => {
  it('are those of its class, or the usual ones with what it says otherwise', () => {
    expect(resourcesOf({ resources: 'small' })).toEqual(resourceClasses.small)
    expect(resourcesOf({})).toMatchObject({ memoryMb: 1024, network: true })
    expect(resourcesOf({ memoryMb: 300, resources: { processes: 5 } })).toMatchObject({ memoryMb: 300, processes: 5 })
  })
})

describe('the processes of a task', () => {
  it('are below its first one, in its group, or carry its mark', () => {
    const rows = [row(10), row(11, { parent: 10 }), row(12, { parent: 11 }), row(13, { group: 10 }), row(14), row(15)]
    expect(membersOf(rows, 10, ({ pid }) => pid === 14).map(({ pid }) => pid)).toEqual([10, 11, 12, 13, 14])
  })

  it('are never all processes of the machine', () => {
    const rows = [row(1, { parent: 0 }), row(10), row(11, { parent: 10 }), row(12)]
    for (const root of [0, 1, Number.NaN]) expect(membersOf(rows, root, ({ pid }) => pid === 12)).toEqual([rows[3]])
  })

  it('are added up, and what was seen once stays counted', () => {
    const meter = createMeter()
    expect(
      meter.see([row(1, { cpuSeconds: 2, memoryBytes: 2 ** 20 }), row(2, { cpuSeconds: 1, memoryBytes: 2 ** 21 })]),
    ).toBe(3)
    meter.see([row(1, { cpuSeconds: 2.5 })])
    expect(meter.measured()).toMatchObject({ cpuSeconds: 3, peakMemoryMb: 3 })
  })

  it('wait, stopped, for what they used beyond their share', () => {
    const signals: string[] = []
    const throttle = createThrottle(0.5, (pid, name) => void signals.push(`${name} ${pid}`))
    expect(throttle.see([row(1)], 0, 0)).toBe(0)
    expect(throttle.see([row(1)], 0.1, 250)).toBe(0)
    expect(throttle.see([row(1)], 0.45, 500)).toBeCloseTo(450)
    expect(signals).toEqual(['SIGSTOP 1'])
    expect(throttle.see([row(1)], 0.45, 1000)).toBe(0)
    expect(signals).toEqual(['SIGSTOP 1', 'SIGCONT 1'])
  })
})

const linux = process.platform === 'linux'

describe('a slot', () => {
  it('is refused, and leaves nothing behind, where the machine gives no process', async () => {
    const root = await mkdtemp(join(tmpdir(), 'devcycle-slots-'))
    const { execPath } = process
    process.execPath = join(root, 'no-such-program')
    await expect(createSlot({ agent: 'x', resources: resourcesOf({}), root })).rejects.toThrow('ENOENT')
    process.execPath = execPath
    expect(await readdir(root)).toEqual([])
    await rm(root, { recursive: true })
  })
})

describe.skipIf(!linux)(`watched processes${linux ? '' : ' (left out: there is no /proc)'}`, () => {
  const children: ChildProcess[] = []
  const folders: string[] = []
  afterEach(async () => {
    for (const { pid = 0 } of children.splice(0))
      try {
        process.kill(-pid, 'SIGKILL')
      } catch {
        // gone
      }
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
  })

  const watched = async (script: string, limits: Partial<Resources>) => {
    const workspace = await mkdtemp(join(tmpdir(), 'devcycle-resources-'))
    folders.push(workspace)
    const env = { PATH: process.env.PATH, [markName]: workspace }
    const child = spawn('bash', ['-c', script], { cwd: workspace, env, detached: true, stdio: 'ignore' })
    children.push(child)
    const ended = new Promise((resolve) => child.once('exit', resolve))
    let excess: Excess | undefined
    const watch = watchResources({
      root: child.pid ?? 0,
      mark: workspace,
      workspace,
      limits: { ...resourcesOf({}), ...limits },
      onExcess(found) {
        excess = found
        watch.killAll()
      },
    })
    return { watch, ended, excess: () => excess }
  }

  it('that take too much memory, disk or too many processes are ended, and a quiet neighbour goes on', async () => {
    const quiet = await watched('sleep 30', {})
    const hog = await watched('x=$(head -c 90000000 /dev/zero | tr "\\0" x); sleep 30', { memoryMb: 40 })
    const bomb = await watched('for n in $(seq 40); do sleep 30 & done; wait', { processes: 20 })
    const filler = await watched('head -c 6000000 /dev/urandom > big; sleep 30', { diskMb: 2 })
    await Promise.all([hog.ended, bomb.ended, filler.ended])
    expect(hog.excess()).toMatchObject({ resource: 'memory', limit: 40, unit: 'MB' })
    expect(bomb.excess()).toMatchObject({ resource: 'processes', limit: 20 })
    expect(filler.excess()).toMatchObject({ resource: 'disk', limit: 2 })
    expect(quiet.excess()).toBeUndefined()
    for (const { watch } of [quiet, hog, bomb, filler]) watch.stop()
  })

  it('are all ended, also one that left the group and lost its parent', async () => {
    const { watch } = await watched('setsid bash -c "echo \\$\\$ > pid; sleep 60" & disown; sleep 0.2; exit 0', {})
    const folder = folders.at(-1) ?? ''
    const { readFileSync } = await import('node:fs')
    const pid = await eventually(() => {
      const found = Number(readFileSync(join(folder, 'pid'), 'utf8'))
      expect(found).toBeGreaterThan(0)
      return found
    })
    expect(() => process.kill(pid, 0)).not.toThrow()
    watch.killAll()
    await eventually(() => expect(() => process.kill(pid, 0)).toThrow())
    watch.stop()
  })

  it('that a runner left behind are ended by the next one, stopped ones as well', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'devcycle-left-'))
    folders.push(folder)
    const [own, other] = ['slot-1', '../elsewhere'].map((name) => {
      const env = { PATH: process.env.PATH, [markName]: join(folder, name) }
      const child = spawn('sleep', ['30'], { env, detached: true, stdio: 'ignore' })
      children.push(child)
      return child
    })
    own?.kill('SIGSTOP')
    const ended = new Promise((resolve) => own?.once('exit', (_, signal) => resolve(signal)))
    await eventually(() => {
      killLeftovers(folder)
      expect(own?.signalCode).toBe('SIGKILL')
    })
    expect(await ended).toBe('SIGKILL')
    expect(other?.exitCode ?? other?.signalCode).toBeNull()
  })

  it('that compute are held to their share of the processors, and measured', async () => {
    const { watch } = await watched('while :; do :; done', { cpu: 0.25 })
    await new Promise((resolve) => setTimeout(resolve, 2500))
    const { cpuSeconds, peakMemoryMb } = watch.measured()
    expect(cpuSeconds).toBeGreaterThan(0.1)
    expect(cpuSeconds).toBeLessThan(1.6)
    expect(peakMemoryMb).toBeGreaterThan(0)
    watch.stop()
  })
})

const noNetwork = launchProblem({ network: false })

describe.skipIf(noNetwork !== undefined)(
  `a task without a network${noNetwork ? ` (left out: ${noNetwork})` : ''}`,
  () => {
    it('reaches nothing, not even this machine', async () => {
      const server = createServer((_, response) => response.end('reached'))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const script = `fetch('http://127.0.0.1:${port}').then(() => process.exit(1), () => process.exit(0))`
      const run = (network: boolean): Promise<number | null> => {
        const { execPath, execArgv } = launchOf({ network }, [])
        return new Promise((resolve) => spawn(execPath, [...execArgv, '-e', script]).once('exit', resolve))
      }
      expect(await run(true)).toBe(1)
      expect(await run(false)).toBe(0)
      server.close()
    })
  },
)
