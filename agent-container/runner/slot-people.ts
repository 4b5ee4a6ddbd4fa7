import { createHash } from 'node:crypto'
import { type AgentContext, AgentError } from '../sdk/index.ts'
import type { ApprovalAnswer, InputRecord, InputRequest } from '../sdk/people.ts'
import { asJson } from './json.ts'
import { openMemory, type SlotMemory, sealMemory } from './slot-memory.ts'
import type { SlotCalls, SlotTask } from './slot-messages.ts'

type Asker = {
  /** Answers only when the platform refused: else the process ends here. */
  wait(request: SlotCalls['wait']['argument']): Promise<null>
  inputs(after: SlotCalls['inputs']['argument']): Promise<SlotCalls['inputs']['answer']>
}

/** More answers that nobody asks for again are a sign that the questions differ from run to run. */
const maxUnasked = 3

const keyOf = ({ key, kind = 'input', prompt }: InputRequest): string =>
  key ??
  createHash('sha256')
    .update(`${kind} ${asJson('prompt', () => JSON.stringify(prompt))}`)
    .digest('hex')
    .slice(0, 32)

const fault = (message: string): AgentError => new AgentError(message, { retryable: false })

/** The handler's side of people and streams: what was answered in earlier runs is answered again at once. */
export const createPeople = (task: Pick<SlotTask, 'checkpoint' | 'resume'>, asker: Asker) => {
  let memory = openMemory(task.checkpoint, task.resume)
  const asked = new Set<string>()
  let waiting: Promise<null> | undefined
  const buffer: InputRecord[] = []
  let ended = false

  const known = (request: InputRequest, key: string) => {
    if (asked.has(key)) throw fault(`a question is asked twice in one run: give each a key (${describe(request)})`)
    asked.add(key)
    const answer = memory.answers.find((one) => one.key === key)
    if (answer && answer.kind !== (request.kind ?? 'input'))
      throw fault(`the question ${key} was of kind ${answer.kind}: give the new one a key of its own`)
    return answer
  }
  const requireReplay = (): void => {
    const unasked = memory.answers.filter((one) => !one.named && !asked.has(one.key))
    if (unasked.length >= maxUnasked)
      throw fault(
        `${unasked.length} answers were not asked for again: a prompt that differs from run to run needs a key`,
      )
  }
  const ask = ({ key: _, checkpoint, ...request }: InputRequest, key: string, named: boolean): Promise<null> => {
    const kind = request.kind ?? 'input'
    const value = checkpoint === undefined ? memory.value : checkpoint
    const pending: SlotMemory['pending'] = { key, kind, named }
    return asker.wait({ ...request, kind, checkpoint: sealMemory({ ...memory, value, pending }) })
  }
  const requestInput = async (request: InputRequest): Promise<unknown> => {
    const key = keyOf(request)
    const answer = known(request, key)
    if (answer) return answer.response
    requireReplay()
    waiting ??= ask(request, key, request.key !== undefined)
    await waiting
    return new Promise(() => undefined)
  }
  async function* records(): AsyncGenerator<InputRecord> {
    for (;;) {
      const record = buffer.shift()
      if (record) {
        memory = { ...memory, position: record.seq }
        yield record
      } else if (ended) return
      else {
        const page = await asker.inputs({ after: memory.position })
        buffer.push(...page.records)
        ended = page.ended
      }
    }
  }

  return {
    lastCheckpoint: memory.value,
    requestInput: requestInput as AgentContext['requestInput'],
    approve: async (prompt: unknown, options = {}): Promise<boolean> =>
      ((await requestInput({ kind: 'approval', prompt, ...options })) as ApprovalAnswer).approved,
    inputs: { [Symbol.asyncIterator]: records },
    /** What is stored for a checkpoint of the handler. */
    seal(value: unknown): unknown {
      memory = { ...memory, value }
      return sealMemory(memory)
    },
  }
}

const describe = ({ key, prompt }: InputRequest): string => (key ?? JSON.stringify(prompt)).slice(0, 100)
