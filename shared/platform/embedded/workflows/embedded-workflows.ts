import type {
  Clock,
  Key,
  Random,
  RunRef,
  Stoppable,
  Telemetry,
  TokenAnswer,
  WorkflowConsumer,
  Workflows,
} from '../../platform.ts'
import { boundedFailure, boundedJson, checkRun, checkStart } from '../../workflow-rules.ts'
import type { Happening } from './advance.ts'
import type { Json } from './asl.ts'
import { createDueTimer } from './due-timer.ts'
import type { Head } from './execution.ts'
import { createExpressions, type Expressions } from './expressions.ts'
import { createMachines } from './machines.ts'
import { createOutbox } from './outbox.ts'
import { headDueAt, pathOf, refOf, runPk } from './rows.ts'
import { createRunActors } from './run-actors.ts'
import { forgetRun, type RunTable, readHistory } from './run-store.ts'
import { createRunWatchers } from './run-watchers.ts'
import { parseToken } from './tokens.ts'

type Options = { table: RunTable; clock: Clock; random: Random; telemetry: Telemetry; expressions?: Expressions }

export type EmbeddedWorkflows = Workflows & {
  /** Who is told of commands and ends from now on; one at a time. */
  serve(consumer: WorkflowConsumer): Stoppable
  close(): Promise<void>
}

/** Events that whoever follows a run is given at once. */
const mostFollowed = 200

type Answering = Extract<Happening, { token: string }>
type Said = Answering extends infer A ? (A extends Answering ? Omit<A, 'path' | 'token'> : never) : never

/** State machines in this process. Every step of a run is flushed before anybody hears of it; nothing is looked for by the clock. */
export const createEmbeddedWorkflows = ({
  table,
  clock,
  random,
  telemetry,
  expressions = createExpressions(),
}: Options): EmbeddedWorkflows => {
  const { evaluateFor, close: closeExpressions } = expressions
  const machines = createMachines(table)
  const outbox = createOutbox({ table, clock, telemetry })
  const watchers = createRunWatchers({ clock })
  const actors = createRunActors({
    table,
    clock,
    random,
    evaluateFor,
    machineOf: machines.get,
    onWritten({ ref, letters, dueAt }) {
      watchers.wake(ref)
      timer.note(dueAt)
      outbox.add(letters)
    },
  })
  const headOf = async (ref: RunRef): Promise<Head | undefined> =>
    (await table.get<Head>({ pk: runPk(ref), sk: 'head' }))?.value

  const attend = async (key: Key): Promise<void> => {
    const ref = refOf(key)
    const path = pathOf(key)
    const head = path === undefined ? await headOf(ref) : undefined
    if (head?.stoppedAt === undefined) return void (await actors.post(ref, { kind: 'due', path }))
    if ((headDueAt(head) ?? 0) > clock.now()) return // it ended while its time came
    actors.drop(ref)
    await forgetRun(table, ref)
  }
  const timer = createDueTimer({ table, clock, telemetry, attend })
  timer.start()

  const answer = async (token: string, said: Said): Promise<TokenAnswer> => {
    const parsed = parseToken(token)
    const taken = parsed && (await actors.post(parsed.ref, { ...said, path: parsed.path, token } as Answering))
    if (taken === undefined) return { ok: false, reason: 'UNKNOWN' }
    return taken ? { ok: true } : { ok: false, reason: 'OVER' }
  }

  return {
    deploy: machines.deploy,
    async start({ input, ...run }) {
      checkStart({ input, ...run })
      await machines.get(run)
      const head: Head = { ...run, status: 'RUNNING', startedAt: clock.now(), redrives: 0 }
      await actors.post(run, { kind: 'begin' }, { head, input: (input ?? null) as Json })
    },
    async stop(run, failure) {
      checkRun(run)
      await actors.post(run, { kind: 'stop', failure: boundedFailure(failure) })
    },
    async describe(run) {
      checkRun(run)
      const pk = runPk(run)
      const rows = await table.getMany(['head', 'input', 'output'].map((sk) => ({ pk, sk })))
      const [head, input, output] = rows.map((row) => row?.value) as [Head | undefined, unknown, unknown]
      if (head === undefined) return undefined
      const { version, status, startedAt, stoppedAt, error, cause } = head
      const ended = { stoppedAt, error, cause, output: status === 'SUCCEEDED' ? output : undefined }
      return { version, status, startedAt, input, ...definedOf(ended) }
    },
    async history(run, page) {
      checkRun(run)
      return readHistory(table, run, page)
    },
    async eventsAfter(run, after, { ms, signal }) {
      checkRun(run)
      const read = async () => (await readHistory(table, run, { limit: mostFollowed, cursor: String(after) })).events
      const { woken, end } = watchers.watch(run, ms, signal)
      try {
        const found = await read()
        if (found.length === 0 && ms > 0) await woken
        const events = found.length === 0 && ms > 0 ? await read() : found
        return events.map(({ input: _, output: __, ...event }) => event)
      } finally {
        end()
      }
    },
    async succeed(token, output) {
      boundedJson(output, 'the output')
      return answer(token, { kind: 'succeed', output: (output ?? null) as Json })
    },
    fail: async (token, failure) => answer(token, { kind: 'fail', failure: boundedFailure(failure) }),
    heartbeat: (token) => answer(token, { kind: 'heartbeat' }),
    async redrive(run) {
      checkRun(run)
      return (await actors.post(run, { kind: 'redrive' })) ?? false
    },
    serve: outbox.serve,
    async close() {
      await timer.close()
      await outbox.close()
      await actors.close()
      await closeExpressions()
    },
  }
}

const definedOf = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Partial<T>
