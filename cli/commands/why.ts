import type { WhyResponse } from '#shared/contracts/why.ts'
import type { Client } from '../client/client.ts'
import { print, printFields, printJson } from '../render/print.ts'
import { plain } from '../render/terminal.ts'

/** Evidence as fields: nested values as JSON. */
const fieldsOf = (evidence: WhyResponse['evidence']): [string, string | undefined][] =>
  Object.entries(evidence).map(([name, value]) => [
    name,
    value === undefined || value === null
      ? undefined
      : plain(typeof value === 'string' ? value : JSON.stringify(value)),
  ])

/** Why a task does not run, or how it ended: the cause, what it is seen by, what would change it. */
export const whyTask = async (client: Client, id: string, { json }: { json?: boolean }): Promise<void> => {
  const why = await client.get<WhyResponse>(`/tasks/${encodeURIComponent(id)}/why`)
  if (json) return printJson(why)
  print(plain(`${why.code}: ${why.message}`))
  printFields([...fieldsOf(why.evidence), ['would change', plain(why.wouldChange)]])
}
