import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createEmbeddedAgentHosts } from '#shared/platform/embedded/agent-hosts.ts'
import { createJsonTelemetry } from '#shared/platform/embedded/json-telemetry.ts'
import { createSystemClock } from '#shared/platform/system.ts'
import { eventually } from '#test/support/eventually.ts'
import { aUlid } from '#test/support/items.ts'
import { agentHostsContract } from './agent-hosts-contract.ts'

const main = fileURLToPath(new URL('../fixtures/contract/idle-runner.mjs', import.meta.url))

const make = (pulse?: { everyMs: number; silentAfter: number; deadAfter: number }) => {
  const ended: string[] = []
  const hosts = createEmbeddedAgentHosts({
    clock: createSystemClock(),
    telemetry: createJsonTelemetry({ write: () => undefined, now: Date.now }),
    serverUrl: () => 'http://127.0.0.1:1',
    apiKey: () => 'none',
    onExit: (instance) => ended.push(instance),
    drainSeconds: 1,
    main,
    pulse,
  })
  return { hosts, ended, close: () => hosts.close() }
}
const anAgent = () => ({ tenant: 'acme', agent: `agent-${aUlid()}`, version: '1.0.0', source: '.' })
const crash = (id: string): void => void process.kill(Number(id), 'SIGKILL')

agentHostsContract('child processes', async () => ({ ...make(), anAgent, crash }))

test('child processes: the end of a process is told with the name it joined under', async () => {
  const { hosts, ended, close } = make()
  const agent = anAgent()
  await hosts.scale(agent, 1)
  const id = await eventually(async () => {
    const [instance] = await hosts.instances(agent)
    expect(instance?.state).toBe('RUNNING')
    return instance?.id ?? ''
  })
  crash(id)
  await eventually(() => expect(ended).toEqual([`ins_${id}`]))
  await close()
})

test('child processes: none is left when the hosts are closed', async () => {
  const { hosts, close } = make()
  const agent = anAgent()
  await hosts.scale(agent, 3)
  const ids = (await hosts.instances(agent)).map(({ id }) => Number(id))
  expect(ids).toHaveLength(3)
  await close()
  for (const id of ids) expect(() => process.kill(id, 0)).toThrow('ESRCH')
})

test('child processes: one that the platform has dismissed is not started again', async () => {
  const { hosts, ended, close } = make()
  const agent = anAgent()
  await hosts.scale(agent, 1)
  const id = await eventually(async () => {
    const [instance] = await hosts.instances(agent)
    expect(instance?.state).toBe('RUNNING')
    return instance?.id ?? ''
  })
  process.kill(Number(id), 'SIGUSR2')
  await eventually(() => expect(ended).toEqual([`ins_${id}`]))
  await new Promise((resolve) => setTimeout(resolve, 800)) // longer than the first back-off
  expect(await hosts.instances(agent)).toEqual([])
  await close()
})

const quickPulse = { everyMs: 150, silentAfter: 5, deadAfter: 12 }

/** The one instance that is running, by its process. */
const theRunning = (hosts: ReturnType<typeof make>['hosts'], agent: ReturnType<typeof anAgent>, but?: string) =>
  eventually(async () => {
    const found = (await hosts.instances(agent)).find(({ id, state }) => state === 'RUNNING' && id !== but)
    expect(found).toBeDefined()
    return found?.id ?? ''
  })

test('child processes: one that hangs is replaced, and ended when it stays silent', async () => {
  const { hosts, ended, close } = make(quickPulse)
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

test('child processes: one that hung and lives again is drained', async () => {
  const { hosts, ended, close } = make({ ...quickPulse, deadAfter: 10_000 })
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
