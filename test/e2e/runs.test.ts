import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunResponse } from '#shared/contracts/workflows.ts'
import { startCli } from '#test/support/cli-process.ts'
import { freePort } from '#test/support/free-port.ts'
import { aDataFolder, runCli, type ServerProcess, until } from '#test/support/server-process.ts'

const folder = aDataFolder()
const home = join(dirname(folder.dataDir), 'home')
/** Each time that a task ran to its end. */
const ledger = join(home, 'ledger')
const gate = join(home, 'gate')

/** Writes down what it has done; `hold` waits until the test opens the gate. */
const agent = `
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { capability, defineAgent } from 'devcycle/agent'
export default defineAgent({
  name: 'scribe',
  capabilities: {
    'scribe.note': capability({
      handler: async (_ctx, { say, hold }) => {
        while (hold && !existsSync(${JSON.stringify(gate)})) await sleep(50)
        appendFileSync(${JSON.stringify(ledger)}, say + '\\n')
        return { said: say }
      },
    }),
    'scribe.ask': capability({ handler: async (ctx) => ({ branch: await ctx.requestInput({ prompt: 'Which branch?' }) }) }),
  },
})
`
let server: ServerProcess
let port = ''
/** Where it was before: agents come back to it. */
const start = () => folder.start(['--agent', join(home, 'scribe'), '--port', port])
beforeAll(async () => {
  mkdirSync(join(home, 'scribe'), { recursive: true })
  writeFileSync(join(home, 'scribe', 'agent.ts'), agent)
  appendFileSync(ledger, '')
  port = String(await freePort())
  server = await start()
})
afterAll(() => folder.close())

const env = () => ({ DEVCYCLE_DATA: folder.dataDir, DEVCYCLE_URL: server.url, DEVCYCLE_API_KEY: server.apiKey })
const fileOf = (name: string, text: string): string => {
  const path = join(home, `${name}.yaml`)
  writeFileSync(path, text)
  return path
}
const lines = (): string[] => readFileSync(ledger, 'utf8').split('\n').filter(Boolean)

describe('devcycle run --follow', () => {
  it('prints who may approve and what answers, as commands that do it', async () => {
    const file = fileOf(
      'asking',
      `
workflow: asking
steps:
  - { name: asked, kind: task, capability: scribe.ask }
  - { name: editors, kind: approval, prompt: Publish?, groups: [editors] }
output: '{% $asked.branch %}'
`,
    )
    const following = startCli(['run', file, '--follow'], { env: env() })
    await following.printed('devcycle tasks input tsk_')
    const printed = async (pattern: RegExp): Promise<string[]> =>
      until(async () => pattern.exec(await runCli(['runs', 'list', '--json'], env()).then(why))?.[0]?.split(' '))
    const why = async ({ stdout }: { stdout: string }): Promise<string> => {
      const [{ id }] = (JSON.parse(stdout) as { items: { id: string }[] }).items as [{ id: string }]
      return (await runCli(['runs', 'why', id], env())).stdout
    }
    const [, ...input] = await printed(/devcycle tasks input tsk_\w+ --response/)
    await runCli([...input, '"main"'], env())
    await following.printed('waits for approval')
    await following.printed('of editors until')
    const [, ...approve] = await printed(/devcycle approvals approve apr_\w+/)
    await runCli(approve, env())
    const { code, stdout, stderr } = await following.ended
    expect({ code, stdout }).toEqual({ code: 0, stdout: '"main"\n' })
    expect(stderr).toContain(`→ editors waits for approval ${approve.at(-1)} of editors`)
  }, 90_000)
})

describe('a run whose server is killed', () => {
  it('goes on where it was, and does nothing again that was done', async () => {
    const file = fileOf(
      'surviving',
      `
workflow: surviving
steps:
  - name: three
    kind: map
    items: '{% ["a", "b", "c"] %}'
    steps: [{ name: noted, kind: task, capability: scribe.note, input: { say: '{% $item %}' } }]
  - { name: held, kind: task, capability: scribe.note, input: { say: held, hold: true } }
  - { name: last, kind: task, capability: scribe.note, input: { say: last } }
output: { each: '{% $three.said %}', last: '{% $last.said %}' }
`,
    )
    const { stdout } = await runCli(['run', file, '--no-follow'], env())
    const id = stdout.trim()
    const run = () => server.client.get<RunResponse>(`/runs/${id}`)
    await until(
      async () => (await run()).steps?.find(({ name, state }) => name === 'held' && state === 'RUNNING')?.task,
      {
        seconds: 30,
      },
    )
    for (let death = 0; death < 2; death++) {
      server.child.kill('SIGKILL')
      await server.ended
      server = await start()
    }
    expect(existsSync(gate)).toBe(false)
    writeFileSync(gate, '')
    await until(async () => (await run()).state !== 'RUNNING', { seconds: 60 })
    expect(await run()).toMatchObject({ state: 'SUCCEEDED', output: { each: ['a', 'b', 'c'], last: 'last' } })
    const noted = lines().filter((line) => line !== 'held')
    expect(noted.sort()).toEqual(['a', 'b', 'c', 'last'])
    const { steps = [] } = await run()
    expect(steps.map(({ name }) => name).sort()).toEqual(['held', 'last', 'noted', 'noted', 'noted', 'three'])
  }, 180_000)
  it('goes on in its loop, in whichever execution that is', async () => {
    const file = fileOf(
      'looping',
      `
workflow: looping
steps:
  - name: long
    kind: repeat
    until: '{% $longRound = 12000 %}'
    atMost: 50000
    steps: [{ name: total, kind: set, value: '{% ($total ? $total : 0) + $longRound %}' }]
  - { name: after, kind: task, capability: scribe.note, input: { say: after } }
output: { total: '{% $total %}', rounds: '{% $longRound %}' }
`,
    )
    const { stdout } = await runCli(['run', file, '--no-follow'], env())
    const run = () => server.client.get<RunResponse>(`/runs/${stdout.trim()}`)
    let deaths = 0
    for (; deaths < 4 && (await run()).state === 'RUNNING'; deaths++) {
      await sleep(300 + deaths * 100)
      server.child.kill('SIGKILL')
      await server.ended
      server = await start()
    }
    expect(deaths).toBeGreaterThan(2)
    await until(async () => (await run()).state !== 'RUNNING', { seconds: 60 })
    expect(await run()).toMatchObject({ state: 'SUCCEEDED', output: { total: 72_006_000, rounds: 12_000 } })
    expect(lines().filter((line) => line === 'after')).toHaveLength(1)
  }, 180_000)
})
