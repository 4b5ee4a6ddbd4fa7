/** One instance of an agent: the container's main, and the supervised child of the embedded server. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startHttpServer } from './runner/http-server.ts'
import { createHttpTaskSource } from './runner/http-task-source.ts'
import { createInvocation } from './runner/invoke-once.ts'
import { loadAgent } from './runner/load-agent.ts'
import { launchProblem } from './runner/resources/launch.ts'
import { startRunner } from './runner/runner.ts'
import { type RunnerSettings, readSettings } from './runner/settings.ts'
import { createSqsTaskSource } from './runner/sqs-task-source.ts'
import type { TaskSource } from './runner/task-source.ts'
import { type Resources, resourcesOf } from './sdk/resources.ts'

const log = (level: string, message: string, fields: Record<string, unknown> = {}): void => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`)
}

/** The agent gateway where the host names one, else HTTP. */
const sourceOf = ({ gateway, url = '', apiKey }: RunnerSettings): TaskSource =>
  gateway === undefined ? createHttpTaskSource({ url, apiKey }) : createSqsTaskSource({ gateway })

const serveHttp = async (
  { agent, httpPort, workspaces = tmpdir() }: RunnerSettings,
  resources: Resources,
  busy: () => number,
) => {
  if (httpPort === undefined) return
  const root = mkdtempSync(join(workspaces, `devcycle-${process.pid}-`))
  process.once('exit', () => rmSync(root, { recursive: true, force: true }))
  await startHttpServer({ port: httpPort, busy, invoke: createInvocation({ agent, resources, root }) })
}

const run = async (settings: RunnerSettings): Promise<number> => {
  const definition = await loadAgent(settings.agent)
  const problem = launchProblem(resourcesOf(definition))
  if (problem !== undefined) throw new Error(problem)
  let told = Promise.resolve()
  const runner = startRunner({
    definition,
    agent: settings.agent,
    source: sourceOf(settings),
    slots: settings.slots ?? definition.slots ?? 1,
    secrets: settings.apiKey === undefined ? [] : [settings.apiKey],
    orphanSeconds: settings.orphanSeconds,
    workspaces: settings.workspaces,
    onJoined: ({ instanceId }) =>
      process.connected && process.send?.({ type: 'joined', instanceId, agent: definition.name }),
    onDismissed() {
      if (process.connected) told = new Promise((resolve) => process.send?.({ type: 'dismissed' }, () => resolve()))
    },
    log,
  })
  await serveHttp(settings, resourcesOf(definition), runner.busy)
  let asked = 0
  const stop = (): void => {
    if (++asked > 1) process.exit(130)
    void runner.drain(settings.drainSeconds)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('message', (message: { type?: string }) => message.type === 'ping' && process.send?.({ type: 'pong' }))
  process.on('disconnect', () => void runner.drain(settings.drainSeconds)) // the supervising server is gone
  const end = await runner.ended
  await told
  return end === 'orphaned' ? 1 : 0
}

try {
  process.exit(await run(readSettings(process.argv.slice(2), process.env)))
} catch (error) {
  log('error', error instanceof Error ? error.message : String(error))
  process.exit(2)
}
