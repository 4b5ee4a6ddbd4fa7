import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createEmbeddedAgentHosts } from '#shared/platform/embedded/agent-hosts.ts'
import { createJsonTelemetry } from '#shared/platform/embedded/json-telemetry.ts'
import type { HostedAgent } from '#shared/platform/platform.ts'
import { createSystemClock } from '#shared/platform/system.ts'
import { eventually } from '#test/support/eventually.ts'
import { aUlid } from '#test/support/items.ts'
import { agentHostsContract } from './agent-hosts-contract.ts'

const main = fileURLToPath(new URL('../fixtures/contract/idle-runner.mjs', import.meta.url))

type MakeOptions = { pulse?: { everyMs: number; silentAfter: number; deadAfter: number }; runner?: string }

const make = ({ pulse, runner = main }: MakeOptions = {}) => {
  const ended: string[] = []
  const failed: string[] = []
  const logged: Record<string, unknown>[] = []
  const hosts = createEmbeddedAgentHosts({
    clock: createSystemClock(),
    telemetry: createJsonTelemetry({ write: (line) => logged.push(JSON.parse(line)), now: Date.now }),
    serverUrl: () => 'http://127.0.0.1:1',
    apiKey: () => 'none',
    onExit: (instance) => ended.push(instance),
    onFailedStart: (_, reason) => failed.push(reason),
    drainSeconds: 1,
    main: runner,
    pulse,
  })
  return { hosts, ended, failed, logged, close: () => hosts.close() }
}
/** The one instance that is running, by its process. */
const theRunning = (hosts: ReturnType<typeof make>['hosts'], agent: HostedAgent, but?: string) =>
  eventually(async () => {
    const found = (await hosts.instances(agent)).find(({ id, state }) => state === 'RUNNING' && id !== but)
    expect(found).toBeDefined()
    return found?.id ?? ''
  })

const anAgent = () => ({ tenant: 'acme', agent: `agent-${aUlid()}`, version: '1.0.0', source: '.' })
const crash = (id: string): void => void process.kill(Number(id), 'SIGKILL')

agentHostsContract('child processes', async () => ({ ...make(), anAgent, crash }))

test.concurrent('child processes: the end of a process is told with the name it joined under', async () => {
  const { hosts, ended, close } = make()
  const agent = anAgent()
  await hosts.scale(agent, 1)
  const id = await theRunning(hosts, agent)
  crash(id)
  await eventually(() => expect(ended).toEqual([`ins_${id}`]))
  await close()
})

test.concurrent('child processes: none is left when the hosts are closed', async () => {
  const { hosts, close } = make()
  const agent = anAgent()
  await hosts.scale(agent, 3)
  const ids = (await hosts.instances(agent)).map(({ id }) => Number(id))
  expect(ids).toHaveLength(3)
  await close()
  for (const id of ids) expect(() => process.kill(id, 0)).toThrow('ESRCH')
})

test.concurrent('child processes: one that the platform has dismissed is not started again', async () => {
  const { hosts, ended, close } = make()
  const agent = anAgent()
  await hosts.scale(agent, 1)
  const id = await theRunning(hosts, agent)
  process.kill(Number(id), 'SIGUSR2')
  await eventually(() => expect(ended).toEqual([`ins_${id}`]))
  await new Promise((resolve) => setTimeout(resolve, 800)) // longer than the first back-off
  expect(await hosts.instances(agent)).toEqual([])
  await close()
})

const quickPulse = { everyMs: 150, silentAfter: 5, deadAfter: 12 }

test.concurrent('child processes: one that hangs is replaced, and ended when it stays silent', async () => {
  const { hosts, ended, close } = make({ pulse: quickPulse })
  const agent = anAgent()
  await hosts.scale(agent, 1)
  const hung = await theRunning(hosts, agent)
  process.kill(Number(hung), 'SIGSTOP')
  const other = await theRunning(hosts, agent, hung)
  expect(ended).toEqual([])
  await eventually(() => expect(ended).toEqual([`ins_${hung}`]))
  expect((await hosts.instances(agent)).map(({ id }) => id)).toEqual([other])
  await close()
})

test.concurrent('child processes: one that hung and lives again is drained', async () => {
  const { hosts, ended, close } = make({ pulse: { ...quickPulse, deadAfter: 10_000 } })
  const agent = anAgent()
  await hosts.scale(agent, 1)
  const hung = await theRunning(hosts, agent)
  process.kill(Number(hung), 'SIGSTOP')
  const other = await theRunning(hosts, agent, hung)
  process.kill(Number(hung), 'SIGCONT')
  await eventually(() => expect(ended).toEqual([`ins_${hung}`]))
  expect((await hosts.instances(agent)).map(({ id }) => id)).toEqual([other])
  await close()
})

const realMain = fileURLToPath(new URL('../../agent-container/main.ts', import.meta.url))
const agentFolder = (content: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'devcycle-agent-'))
  writeFileSync(join(folder, 'agent.ts'), content)
  return folder
}

test.concurrent.for([
  ['is none', 'export default 5', 'must default-export defineAgent'],
  ['throws when it is imported', "throw new Error('no model here')", 'no model here'],
  ['fails later', "setTimeout(() => { throw new TypeError('too late') }); await new Promise(() => {})", 'too late'],
  ['ends without a word', 'process.exit(7)', 'its process ended with code 7'],
])(
  'child processes: of an agent that %s it is told once why it does not start',
  async ([, content = '', reason = ''], { onTestFinished }) => {
    const { hosts, failed, logged, close } = make({ runner: realMain })
    const source = agentFolder(content)
    onTestFinished(() => rmSync(source, { recursive: true, force: true }))
    await hosts.scale({ ...anAgent(), source }, 1)
    const errors = () =>
      logged.filter(({ level, message }) => level === 'error' && message === 'an agent does not start')
    await eventually(() => expect(errors().length).toBeGreaterThan(1))
    expect(failed).toEqual([expect.stringContaining(reason)])
    expect(errors()[0]).toMatchObject({ reason: failed[0] })
    await close()
  },
)

test('child processes: what cannot be started is tried again', async () => {
  const { hosts, failed, close } = make()
  const { execPath } = process
  const agent = anAgent()
  try {
    process.execPath = '/no/such/node'
    await hosts.scale(agent, 1)
    await eventually(() => expect(failed).toEqual([expect.stringContaining('ENOENT')]))
  } finally {
    process.execPath = execPath
  }
  await theRunning(hosts, agent)
  expect(await hosts.instances(agent)).toHaveLength(1)
  await close()
})

test('child processes: nothing is killed under the number of one that has ended', async () => {
  const { hosts, ended, close } = make()
  const agent = anAgent()
  await hosts.scale(agent, 1)
  await theRunning(hosts, agent)
  const kill = vi.spyOn(process, 'kill')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  await hosts.scale(agent, 0)
  while (ended.length === 0) await new Promise(setImmediate)
  kill.mockClear()
  vi.advanceTimersByTime(60_000)
  expect(kill).not.toHaveBeenCalled()
  kill.mockRestore()
  await close()
})
