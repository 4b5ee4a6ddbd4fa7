import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type AgentContext, AgentError, type ObjectRef } from '#agent/sdk/index.ts'

/** A context over a temporary folder, its objects in files, that keeps what the agent told. */
export type TestContext = AgentContext & {
  readonly told: {
    progress: { percent: number; message?: string }[]
    output: unknown[]
    logs: { level: string; message: string }[]
    checkpoints: unknown[]
  }
  /** Puts a file where `objects.fetch` finds it. */
  upload(file: string): ObjectRef
  /** The bytes of an object. */
  read(ref: ObjectRef): Buffer
  abort(reason?: unknown): void
  remove(): void
}

export const anAgentContext = (task: Partial<AgentContext['task']> = {}): TestContext => {
  const root = mkdtempSync(path.join(tmpdir(), 'agent-'))
  const workspace = path.join(root, 'workspace')
  mkdirSync(workspace)
  const controller = new AbortController()
  const told: TestContext['told'] = { progress: [], output: [], logs: [], checkpoints: [] }
  const { upload, store, read, fetch } = createObjects(root, workspace)
  return {
    task: { id: 'tsk_00000000000000000000000001', fence: '1.1', attempt: 1, capability: 'test', ...task },
    signal: controller.signal,
    workspace,
    lastCheckpoint: undefined,
    progress: (percent, message) => void told.progress.push({ percent, ...(message !== undefined && { message }) }),
    output: (chunk) => void told.output.push(structuredClone(chunk)),
    checkpoint: async (value) => void told.checkpoints.push(structuredClone(value)),
    log: (level, message) => void told.logs.push({ level, message }),
    metric: () => undefined,
    span: (_name, work) => work(),
    usage: () => undefined,
    call: async () => {
      throw new AgentError('there is no platform to call', { retryable: false })
    },
    send: noPlatform,
    publish: noPlatform,
    request: noPlatform,
    receive: noPlatform,
    requestInput: noPlatform,
    approve: noPlatform,
    inputs: { async *[Symbol.asyncIterator]() {} },
    state: { get: noPlatform, set: noPlatform, update: noPlatform },
    objects: {
      fetch,
      put: async (body) =>
        store(
          typeof body === 'object' && 'file' in body
            ? readFileSync(path.join(workspace, body.file))
            : Buffer.from(body),
        ),
    },
    told,
    upload,
    read,
    abort: (reason) => controller.abort(reason),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

const noPlatform = async (): Promise<never> => {
  throw new AgentError('there is nobody to ask', { retryable: false })
}

const createObjects = (root: string, workspace: string) => {
  const folder = path.join(root, 'objects')
  mkdirSync(folder)
  let count = 0
  const next = (): ObjectRef => ({ $ref: `obj_${String(++count).padStart(26, '0')}` })
  const store = (bytes: Uint8Array): ObjectRef => {
    const ref = next()
    writeFileSync(path.join(folder, ref.$ref), bytes)
    return ref
  }
  const read = ({ $ref }: ObjectRef) => readFileSync(path.join(folder, $ref))
  const fetch = async ({ $ref }: ObjectRef) => {
    const target = path.join(workspace, $ref)
    try {
      copyFileSync(path.join(folder, $ref), target)
    } catch (cause) {
      throw new AgentError(`object ${$ref} is not there`, { retryable: false, cause })
    }
    return target
  }
  return { store, read, fetch, upload: (file: string) => store(readFileSync(file)) }
}
