import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createEmbeddedAgentHosts } from '#shared/platform/embedded/agent-hosts.ts'
import { createJsonTelemetry } from '#shared/platform/embedded/json-telemetry.ts'
import { createSystemClock } from '#shared/platform/system.ts'
import { eventually } from '#test/support/eventually.ts'
import { aUlid } from '#test/support/items.ts'
import { agentHostsContract } from './agent-hosts-contract.ts'

const main = fileURLToPath(new URL('../fixtures/contract/idle-runner.mjs', import.meta.url))

const make = () => {
  const ended: string[] = []
  const hosts = createEmbeddedAgentHosts({
    clock: createSystemClock(),
    telemetry: createJsonTelemetry({ write: () => undefined, now: Date.now }),
    serverUrl: () => 'http://127.0.0.1:1',
    apiKey: () => 'none',
    onExit: (instance) => ended.push(instance),
    drainSeconds: 1,
    main,
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
