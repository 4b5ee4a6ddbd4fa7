import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ScheduleResponse } from '#shared/contracts/schedules.ts'
import type { TaskResponse } from '#shared/contracts/tasks.ts'
import { freePort } from '#test/support/free-port.ts'
import { aDataFolder, runCli, type ServerProcess } from '#test/support/server-process.ts'

const folder = aDataFolder()
const none = { agent: 'e2e.none', capabilities: [{ name: 'e2e.none' }] }
let server: ServerProcess
beforeAll(async () => {
  server = await folder.start(['--no-agents'])
  await server.client.create('/agents', { name: none.agent, capabilities: none.capabilities })
})
afterAll(() => folder.close())

const cli = (...words: string[]) => runCli(words, { DEVCYCLE_DATA: folder.dataDir })
const submit = () => server.client.create<TaskResponse>('/tasks', { capability: 'e2e.none' })
const someTask = 'tsk_01KB2V7Q5W8S5ZK3M9N1P4R6T8'

describe.concurrent('exit codes', () => {
  const rows: [code: number, what: string, words: string[], told: string][] = [
    [0, 'done', ['agents', 'list'], ''],
    [2, 'an unknown command', ['tasks', 'sbumit'], 'see devcycle tasks --help'],
    [2, 'a wrong option', ['tasks', 'list', '--limit', 'abc'], 'expected a whole number from 1 to 200'],
    [2, 'a refused field', ['tasks', 'submit', '--capability', 'a b'], '#/capability: use letters'],
    [3, 'a wrong key', ['tasks', 'list', '--api-key', 'dck_wrong'], 'DEVCYCLE_API_KEY'],
    [4, 'what is not there', ['tasks', 'get', someTask], `there is no task ${someTask}`],
    [4, 'a name that nothing has', ['schedules', 'run', 'nothing'], 'no schedule is named nothing'],
  ]
  it.each(rows)('%i tells of %s', async (code, _, words, told) => {
    const result = await cli(...words)
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code, stderr: expect.stringContaining(told) })
  })

  it('5 tells of a task that did not succeed, 1 of a result that is not there yet', async () => {
    const { id } = await submit()
    const early = await cli('tasks', 'result', id)
    expect([early.code, early.stderr]).toEqual([1, expect.stringContaining(`devcycle tasks events ${id} --follow`)])
    await server.client.request('POST', `/tasks/${id}/cancel`)
    const followed = await cli('tasks', 'events', id, '--follow')
    expect(followed.code).toBe(5)
    expect(followed.stdout).toMatch(/^\d\d:\d\d:\d\dZ /)
    expect((await cli('tasks', 'result', id)).code).toBe(5)
  })

  it('6 tells of a server that is not there', async () => {
    const result = await cli('tasks', 'list', '--url', `http://127.0.0.1:${await freePort()}`)
    expect([result.code, result.stderr]).toEqual([6, expect.stringContaining('connection refused')])
  })

  it('are in the help', async () => {
    const { stdout } = await cli('--help')
    for (const code of [0, 1, 2, 3, 4, 5, 6, 130, 143]) expect(stdout).toMatch(new RegExp(`(^|\\s)${code} [a-z]`, 'm'))
  })
})

describe.concurrent('devcycle', () => {
  it('says what brings an agent back that is offline', async () => {
    await server.client.create('/agents', { name: 'e2e.gone', capabilities: [{ name: 'e2e.gone' }] })
    const move = (operation: string) => cli('agents', operation, 'e2e.gone')
    expect((await move('resume')).stderr).toContain('start an instance of it')
    const started = await move('activate')
    expect([started.stdout, started.stderr]).toEqual([
      'e2e.gone OFFLINE (STOPPED)\n',
      expect.stringContaining('the server starts its own agents again'),
    ])
    expect((await move('drain')).stderr).toContain('until devcycle agents activate e2e.gone')
    expect((await move('resume')).stderr).toContain('activate it to bring it back into service')
  })

  it('submits a task with a callback, and one that is divided', async () => {
    const url = 'https://example.com/hook'
    const called = await cli('tasks', 'submit', '--capability', 'e2e.none', '--callback', url, '--json')
    expect(JSON.parse(called.stdout).callback.url).toBe(url)
    const words = ['--shards', '0..100/50', '--quorum', '0.5', '--on-failure', 'continue', '--json']
    const divided = await cli('tasks', 'submit', '--capability', 'e2e.none', ...words)
    const { batch } = JSON.parse(divided.stdout)
    expect((await server.client.get<{ counts: { total: number } }>(`/batches/${batch}`)).counts).toBeDefined()
    const alone = await cli('tasks', 'submit', '--capability', 'e2e.none', '--callback-event', 'task.failed')
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('--callback-event needs --callback')])
  })

  it('cancels many only when it is told to, and says whether that was all', async () => {
    for (let n = 0; n < 2; n++) await cli('tasks', 'submit', '--capability', 'e2e.none', '--label', 'many:yes')
    const many = (...words: string[]) => cli('tasks', 'cancel-many', '--label', 'many:yes', '--json', ...words)
    const unsure = await many()
    expect([unsure.code, unsure.stderr]).toEqual([2, expect.stringContaining('2 tasks would be cancelled; say --yes')])
    expect(JSON.parse((await many('--dry-run')).stdout)).toEqual({ matched: 2, cancelled: 0, complete: true })
    expect(JSON.parse((await many('--yes')).stdout)).toEqual({ matched: 2, cancelled: 2, complete: true })
  })

  it('starts a schedule now by its name, and says why there is no start', async () => {
    const words = ['--every', '1d', '--capability', 'e2e.none', '--name', 'nightly', '--jitter', '2h']
    const { stdout: made } = await cli('schedules', 'create', ...words)
    const started = await cli('schedules', 'run', 'nightly')
    expect([started.code, started.stdout]).toEqual([0, expect.stringMatching(/^tsk_\w{26}\n$/)])
    const skipped = await cli('schedules', 'run', 'nightly')
    expect([skipped.code, skipped.stderr]).toEqual([
      1,
      expect.stringContaining(`the start was skipped: task ${started.stdout.trim()} of the start before has not ended`),
    ])
    expect((await cli('schedules', 'get', 'nightly')).stdout).toMatch(/^jitter +up to 7200 s$/m)
    const { task } = await server.client.get<ScheduleResponse>(`/schedules/${made.trim()}`)
    await server.client.create('/schedules', { rate: { everySeconds: 86_400 }, task, name: 'nightly' })
    const either = await cli('schedules', 'run', 'nightly')
    expect([either.code, either.stderr]).toEqual([2, expect.stringContaining('several schedules are named nightly')])
  })

  it('says what helps on', async () => {
    const { id } = await submit()
    expect((await cli('tasks', 'get', id)).stdout).toContain(`devcycle tasks why ${id}`)
  })
})
