import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunResponse } from '#shared/contracts/workflows.ts'
import { freePort } from '#test/support/free-port.ts'
import { aRepository, type TestRepository } from '#test/support/git-repository.ts'
import { aDataFolder, runCli, type ServerProcess, until } from '#test/support/server-process.ts'
import { startReceiver } from '#test/support/webhook-receiver.ts'

/** Parsed JSON, of whatever shape the test expects. */
type Json = ReturnType<typeof JSON.parse>
type Step = NonNullable<RunResponse['steps']>[number]
type Run = RunResponse & { steps: Step[] }

const unclean = 'export const total = (items) => eval(process.argv[2]) + items.length\n'
const slowTests =
  "import { test } from 'node:test'\ntest('takes its time', () => new Promise((r) => setTimeout(r, 4000)))\n"
const packageJson = '{ "name": "small", "scripts": { "test": "node --test" } }\n'

const repositories: TestRepository[] = []
const repositoryOf = (...commits: { files: Record<string, string>; message: string }[]): TestRepository => {
  const repository = aRepository()
  repositories.push(repository)
  for (const { files, message } of commits) repository.commit(files, message)
  return repository
}
afterAll(() => {
  for (const repository of repositories.splice(0)) repository.remove()
})

/** What a person does at a server, which may be another one each time. */
const at = (server: () => ServerProcess) => {
  const cli = async (...words: string[]): Promise<string> => {
    const env = { DEVCYCLE_URL: server().url, DEVCYCLE_API_KEY: server().apiKey }
    const { code, stdout, stderr } = await runCli(words, env)
    if (code !== 0) throw new Error(`devcycle ${words.join(' ')} ended with ${code}: ${stderr}`)
    return stdout.trim()
  }
  const get = (path: string): Promise<Json> => server().client.get(path)
  const runOf = (id: string): Promise<Run> => server().client.get(`/runs/${id}`)
  const over = (id: string): Promise<Run> =>
    until(
      async () => {
        const run = await runOf(id)
        return ['RUNNING', 'COMPENSATING'].includes(run.state) ? undefined : run
      },
      { seconds: 90, what: `the end of ${id}` },
    )
  const stepWhen = (id: string, name: string, state: string): Promise<Step> =>
    until(async () => (await runOf(id)).steps.find((step) => step.name === name && step.state === state), {
      seconds: 90,
      what: `step ${name} ${state}`,
    })
  const approve = async (id: string): Promise<void> => {
    const approval = await until(
      async () => (await runOf(id)).steps.find(({ name }) => name === 'decision')?.approval,
      { seconds: 90, what: `the approval of ${id}` },
    )
    await cli('approvals', 'approve', approval)
  }
  return { cli, get, over, stepWhen, approve }
}

describe('a workflow that ships, by the built-in agents, whose server is killed', () => {
  const data = aDataFolder()
  afterAll(() => data.close())
  let server: ServerProcess
  const { cli, get, over, stepWhen, approve } = at(() => server)

  it('goes on, twice, with no finished step done again: pull-request', async () => {
    const repository = repositoryOf(
      { files: { 'package.json': packageJson, 'a.test.js': slowTests }, message: 'feat: begin' },
      { files: { 'cart.js': unclean }, message: 'feat: a cart' },
    )
    const port = ['--port', String(await freePort())] // agents come back to where they were
    server = await data.start(port)
    const words = ['run', 'pull-request', '--repository', repository.folder, '--base', 'HEAD~1', '--no-follow']
    const id = await cli(...words)
    const reviewed = await stepWhen(id, 'reviewed', 'SUCCEEDED')
    server.child.kill('SIGKILL')
    await server.ended
    server = await data.start(port)
    const tested = await stepWhen(id, 'tested', 'SUCCEEDED')
    await stepWhen(id, 'decision', 'RUNNING')
    server.child.kill('SIGKILL')
    await server.ended
    server = await data.start(port)
    await approve(id)
    const run = await over(id)
    expect(run).toMatchObject({
      state: 'SUCCEEDED',
      output: { review: { error: 1 }, tests: { status: 'passed', failed: 0 }, approved: true },
    })
    const asked = run.steps.filter(({ kind }) => kind === 'task' || kind === 'approval')
    expect(asked.map(({ name, state }) => `${name} ${state}`).toSorted()).toEqual([
      'decision SUCCEEDED',
      'notes SUCCEEDED',
      'reviewed SUCCEEDED',
      'tested SUCCEEDED',
    ])
    const stepOf = (name: string) => run.steps.find((step) => step.name === name)
    expect(stepOf('reviewed')).toEqual(reviewed)
    expect(stepOf('tested')).toEqual(tested)
    const { items } = await get(`/tasks?workflowRun=${id}`)
    expect(items).toHaveLength(3)
    const { items: attempts } = await get(`/tasks/${reviewed.task}/attempts`)
    expect(attempts.map(({ outcome }: Json) => outcome)).toEqual(['SUCCEEDED'])
  }, 180_000)
})

describe.concurrent('the workflows that ship, by the built-in agents', () => {
  const data = aDataFolder()
  let server: ServerProcess
  let receiver: Awaited<ReturnType<typeof startReceiver>>
  const { cli, get, over, approve } = at(() => server)
  const told = () => receiver.received.map(({ body }) => JSON.parse(body).data)
  beforeAll(async () => {
    receiver = await startReceiver(() => ({ status: 204, body: '' }))
    server = await data.start(['--egress-allow', `127.0.0.1:${receiver.port}`])
    const { id: webhook } = (await server.client.create('/webhooks', { url: receiver.url })) as Json
    await server.client.create('/subscriptions', { topic: 'releases', target: { webhook } })
  })
  afterAll(async () => {
    await data.close()
    await receiver.stop()
  })

  const bundleOf = async (repository: TestRepository): Promise<Json> =>
    JSON.parse(await cli('objects', 'put', repository.bundle(), '--json')).ref

  it('reviews several repositories, one of which cannot be read, and publishes one report: nightly', async () => {
    const [clean, other] = [
      repositoryOf({ files: { 'a.js': 'export const a = 1\n' }, message: 'feat: a' }),
      repositoryOf({ files: { 'b.js': unclean }, message: 'feat: b' }),
    ]
    await server.client.create('/queues', { name: 'reports' })
    await server.client.create('/subscriptions', { topic: 'nightly.report', target: { queue: 'reports' } })
    const input = {
      repositories: [
        { bundle: await bundleOf(clean) },
        { bundle: await bundleOf(other) },
        { bundle: await bundleOf(clean), ref: 'no-such-branch' },
      ],
    }
    const id = await cli('run', 'nightly', '--input', JSON.stringify(input), '--no-follow')
    const { state, output } = (await over(id)) as Json
    expect({ state, output }).toMatchObject({
      state: 'SUCCEEDED',
      output: {
        repositories: 3,
        failed: 1,
        errors: 1,
        reviews: [{ counts: { error: 0 } }, { counts: { error: 1 } }, {}],
      },
    })
    const { messages } = (await server.client.create(
      '/queues/reports/receive',
      { max: 10 },
      {
        headers: { prefer: 'wait=10' },
      },
    )) as Json
    expect(messages).toMatchObject([{ message: { source: 'devcycle.workflow.nightly', subject: id, data: output } }])
  }, 120_000)

  /** A release that is tagged and announced to the webhook of whoever publishes. */
  const released = async (repository: TestRepository) => {
    const id = await cli('run', 'release', '--repository', repository.folder, '--no-follow')
    await approve(id)
    const announced = await until(() => told().find(({ state, run }) => state === 'announced' && run === id), {
      seconds: 60,
      what: 'the announcement',
    })
    const file = join(repository.folder, '..', 'clone.bundle')
    await cli('objects', 'get', announced.clone.$ref, '--output', file)
    const say = (state: string) =>
      server.client.create('/messages', { to: { topic: 'releases' }, type: 'release', data: { state, run: id } })
    return { id, announced, file, say }
  }
  const repository = () =>
    repositoryOf(
      { files: { 'a.js': 'export const a = 1\n' }, message: 'feat: a' },
      { files: { 'b.js': 'export const b = 1\n' }, message: 'fix: b' },
    )

  it('tags a clone for a release, from which the webhook that publishes takes the tag', async () => {
    const own = repository()
    const { id, announced, file, say } = await released(own)
    own.git('fetch', '--quiet', file, `refs/tags/${announced.tag}:refs/tags/${announced.tag}`)
    expect(own.git('rev-parse', `${announced.tag}^{commit}`)).toBe(own.git('rev-parse', 'HEAD'))
    expect(own.git('tag', '--list', '--format=%(contents)')).toContain(`## ${announced.version}`)
    await say('published')
    expect(await over(id)).toMatchObject({
      state: 'SUCCEEDED',
      output: { tag: announced.tag, version: announced.version, published: { state: 'published', run: id } },
    })
  }, 120_000)

  it('withdraws the announcement of a release and removes the tag when it is refused', async () => {
    const own = repository()
    const { id, announced, file, say } = await released(own)
    expect(own.git('ls-remote', file, 'refs/tags/*')).toContain(announced.tag)
    await say('refused')
    const run = await over(id)
    expect(run).toMatchObject({
      state: 'FAILED',
      error: 'REFUSED',
      undone: [
        { step: 'announced', undone: true },
        { step: 'tagged', undone: true },
      ],
    })
    const untagged = run.steps.find(({ name }) => name === 'untagged')
    const { removed, clone } = await get(`/tasks/${untagged?.task}/result`)
    expect(removed).toBe(true)
    await cli('objects', 'get', clone.$ref, '--output', file)
    expect(own.git('ls-remote', file, 'refs/tags/*')).toBe('')
    await until(() => told().some(({ state, run: of }) => state === 'withdrawn' && of === id))
  }, 120_000)
})
