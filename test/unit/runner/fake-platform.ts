import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskSource, WorkerAnswer, WorkerRequest } from '#agent/runner/task-source.ts'
import type { LeasedTask } from '#shared/contracts/worker.ts'

export const aLeasedTask = (given: Partial<LeasedTask> = {}): LeasedTask => ({
  taskId: 'tsk_00000000000000000000000001',
  fence: '1.1',
  attempt: 1,
  capability: 'test.sleep',
  input: { ms: 10 },
  deadline: '2099-01-01T00:00:00.000Z',
  timeoutSeconds: 60,
  leaseSeconds: 30,
  traceparent: null,
  budgetLeft: null,
  ...given,
})

type Body = Record<string, unknown>
type Answer = (request: WorkerRequest) => WorkerAnswer | undefined | Promise<WorkerAnswer | undefined>

const nothingLost = { renewed: [], lost: [], cancel: [], drain: false }
const joined = {
  instanceId: 'ins_00000000000000000000000001',
  token: 'token-number-1',
  tokenExpiresIn: 86_400,
  heartbeatSeconds: 0.05,
  leaseSeconds: 30,
}

/** What a platform that goes along with everything answers. */
const friendly = ({ method, path }: WorkerRequest): WorkerAnswer => {
  if (method === 'POST' && path === '/instances') return { status: 201, body: joined }
  if (path.endsWith('/heartbeat')) return { status: 200, body: nothingLost }
  if (path.endsWith('/progress')) return { status: 202, body: {} }
  return { status: 200, body: { capabilities: {} } }
}

/** A task source that records what it is asked; `answer` goes before what a friendly platform says. */
export const aFakePlatform = ({ answer = () => undefined }: { answer?: Answer } = {}) => {
  const requests: WorkerRequest[] = []
  const over: string[] = []
  const waiting: LeasedTask[][] = []
  const source: TaskSource = {
    async send(request) {
      requests.push(request)
      return (await answer(request)) ?? friendly(request)
    },
    async lease({ signal }) {
      while (waiting.length === 0) await sleep(5, undefined, { signal })
      return waiting.shift() ?? []
    },
    over: async (taskId) => void over.push(taskId),
  }
  return {
    source,
    requests,
    over,
    joined,
    hand: (...tasks: LeasedTask[]) => void waiting.push(tasks),
    to: (verb: string) => requests.filter(({ path }) => path.endsWith(`/${verb}`)),
    bodies: (verb: string) => requests.filter(({ path }) => path.endsWith(`/${verb}`)).map(({ body }) => body as Body),
  }
}
export type FakePlatform = ReturnType<typeof aFakePlatform>

export const refusal = (status: number, code: string): WorkerAnswer => ({ status, body: { code, detail: 'no' } })
