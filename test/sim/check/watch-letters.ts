import type { Finding } from '#cli/server/faults/check/history.ts'
import type { Letter } from '#shared/domain/inboxes/letter.ts'
import { letterPk } from '#shared/domain/inboxes/letter-store.ts'
import type { Commit, SimTable } from '../engine/table.ts'

type Step = { before?: Letter; after: Letter }

const isHandedOut = ({ before, after }: Step): boolean => after.receives > (before?.receives ?? 0)
const settled = ({ state, reason, receives, receipt, settledAt }: Letter): string =>
  JSON.stringify([state, reason, receives, receipt, settledAt])

/** Watches every change of every letter at the moment when it is made. */
export const createLetterWatch = (main: Pick<SimTable, 'get'>, findings: Finding[]) => {
  /** Letters of one conversation in one inbox, in the order in which they came. */
  const lines = new Map<string, string[]>()
  const tell = (column: Finding['column'], { id, envelope }: Letter, message: string): void => {
    findings.push({ column, message: `letter ${id} of message ${envelope.id} ${message}` })
  }
  const lineOf = ({ inbox, conversation }: Letter): string[] => {
    const name = `${inbox} ${conversation}`
    const line = lines.get(name) ?? []
    lines.set(name, line)
    return line
  }
  /** A line forgets what was taken back with the records. */
  const join = (letter: Letter): void => {
    const line = lineOf(letter)
    if (line.includes(letter.id)) line.splice(line.indexOf(letter.id), 1)
    line.push(letter.id)
  }
  const letterOf = (tenant: string, id: string): Letter | undefined =>
    main.get<Letter>({ pk: letterPk(tenant, id), sk: 'head' })?.value
  const isWaiting = ({ state, conversation }: Letter): boolean => state === 'WAITING' && conversation !== undefined
  const order = ({ after }: Step): void => {
    if (after.conversation === undefined) return
    const line = lineOf(after)
    for (const id of line.slice(0, Math.max(0, line.indexOf(after.id)))) {
      const earlier = letterOf(after.tenant, id)
      if (earlier && isWaiting(earlier))
        tell('illegal_transition', after, `was handed out before ${id}, which came first`)
    }
  }
  const end = ({ before, after }: Step): void => {
    if (before === undefined || before.state === 'WAITING') return
    const isPutBack = before.state === 'DEAD' && (after.revivals ?? 0) > (before.revivals ?? 0)
    if (!isPutBack && settled(before) !== settled(after))
      tell('stale_accepted', after, `is ${settled(after)} after it was ${settled(before)}`)
  }
  return {
    follow({ before, after }: Commit): void {
      if (after === undefined) return
      const step: Step = { before: before?.value as Letter | undefined, after: after.value as Letter }
      if (step.before === undefined && step.after.conversation !== undefined) join(step.after)
      if (isHandedOut(step)) order(step)
      end(step)
    },
  }
}
