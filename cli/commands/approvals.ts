import type { ApprovalResponse } from '#shared/contracts/approvals.ts'
import type { Client } from '../client/client.ts'
import { toQuery } from '../client/query.ts'
import { readJson } from '../input/task-input.ts'
import { noteMore, print, printFields, printJson, printTable } from '../render/print.ts'
import type { Column } from '../render/table.ts'
import { plain } from '../render/terminal.ts'
import { ago } from '../render/time.ts'

type ListOptions = { state?: string; task?: string; limit: number; cursor?: string; json?: boolean }

const columns: Column[] = [
  { title: 'APPROVAL' },
  { title: 'STATE' },
  { title: 'AGENT', cut: { at: 'end', least: 12 } },
  { title: 'APPROVERS', cut: { at: 'end', least: 12 } },
  { title: 'AGE', align: 'right' },
  { title: 'PROMPT', wrap: true },
]

const promptOf = ({ prompt }: ApprovalResponse): string =>
  plain(typeof prompt === 'string' ? prompt : JSON.stringify(prompt))

const toRow = (one: ApprovalResponse): string[] => [
  one.id,
  one.state,
  one.agent ?? (one.step ? `${one.step.workflow}: ${one.step.name}` : ''),
  plain(one.approvers.join(', ')),
  ago(one.requestedAt),
  promptOf(one),
]

/** Approvals as a table. */
export const listApprovals = async (client: Client, { json, ...filter }: ListOptions): Promise<void> => {
  const { state, task, limit, cursor } = filter
  const query = toQuery({ state, task, limit, cursor })
  const page = await client.get<{ items: ApprovalResponse[]; nextCursor: string | null }>(`/approvals${query}`)
  if (json) return printJson(page)
  printTable(columns, page.items.map(toRow), 'no approvals')
  noteMore(page)
}

const pathOf = (id: string): string => `/approvals/${encodeURIComponent(id)}`

const entryOf = ({ what, by, at, comment, to }: ApprovalResponse['history'][number]): string =>
  plain([at, what, to?.length ? `to ${to.join(', ')}` : '', `by ${by}`, comment ? `(${comment})` : ''].join(' '))

/** One approval with its history. */
export const getApproval = async (client: Client, id: string, { json }: { json?: boolean }): Promise<void> => {
  const approval = await client.get<ApprovalResponse>(pathOf(id))
  if (json) return printJson(approval)
  const { escalateAt, escalateTo, quorum, decisions, history } = approval
  const approved = decisions.filter(({ verdict }) => verdict === 'approve').length
  const open = approval.decidedAt === undefined
  printFields([
    ['id', approval.id],
    ['state', approval.state],
    ['task', approval.task],
    ['agent', approval.agent],
    ['run', approval.step?.run],
    ['step', approval.step && `${approval.step.workflow}: ${approval.step.name}`],
    ['prompt', promptOf(approval)],
    ['approvers', plain(approval.approvers.join(', ')) || undefined],
    ['approved', `${approved} of ${quorum}`],
    ['escalates', open && escalateAt ? plain(`${escalateAt} to ${escalateTo.join(', ') || 'nobody'}`) : undefined],
    ['expires', open ? approval.expiresAt : undefined],
    ['history', history.map(entryOf).join('\n')],
  ])
}

type Said = { comment?: string; json?: boolean }

const say = async (client: Client, [id, verb]: [string, string], body: object, json?: boolean): Promise<void> => {
  const approval = await client.request<ApprovalResponse>('POST', `${pathOf(id)}/${verb}`, { body })
  if (json) printJson(approval)
  else print(`${approval.id} ${approval.state}`)
}

/** Approves; `response` is told to the task. */
export const approve = async (client: Client, id: string, options: Said & { response?: string }): Promise<void> => {
  const { comment, json } = options
  const response = await readJson(options.response, '--response')
  await say(client, [id, 'approve'], { comment, response }, json)
}

export const reject = (client: Client, id: string, { comment, json }: Said): Promise<void> =>
  say(client, [id, 'reject'], { comment }, json)

export const delegate = (
  client: Client,
  id: string,
  { to, from, comment, json }: Said & { to: string; from?: string },
): Promise<void> => say(client, [id, 'delegate'], { to, from, comment }, json)
