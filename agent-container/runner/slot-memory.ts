/** An answer of people, and to which question. `named`: by a key of its own, not by what was asked. */
export type KnownAnswer = { key: string; kind: string; response: unknown; named: boolean }

/** What a handler that starts again knows of its earlier runs. */
export type SlotMemory = {
  /** The handler's own checkpoint. */
  value: unknown
  answers: KnownAnswer[]
  /** The last record of the input stream that the checkpoint covers. */
  position: number
  /** The question that the task waits with. */
  pending?: Omit<KnownAnswer, 'response'>
}

/** Marks a checkpoint that has more in it than the handler's own. */
const mark = '$devcycle'

const isSealed = (checkpoint: unknown): checkpoint is SlotMemory =>
  checkpoint !== null && typeof checkpoint === 'object' && mark in checkpoint

/** Reads a checkpoint; `resume` is the answer to the question that it was made with. */
export const openMemory = (checkpoint: unknown, resume: { response: unknown } | undefined): SlotMemory => {
  if (!isSealed(checkpoint)) return { value: checkpoint, answers: [], position: 0 }
  const { value, answers, position, pending } = checkpoint
  const answered = pending && resume ? [{ ...pending, response: resume.response }] : []
  return { value, answers: [...answers, ...answered], position }
}

/** The checkpoint to store: the handler's own as it is, as long as there is nothing else to know. */
export const sealMemory = ({ value, answers, position, pending }: SlotMemory): unknown =>
  answers.length === 0 && position === 0 && pending === undefined && !isSealed(value)
    ? value
    : { [mark]: 1, value, answers, position, ...(pending && { pending }) }
