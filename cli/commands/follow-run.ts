import type { RunResponse, RunWhy } from '#shared/contracts/workflows.ts'
import type { Client } from '../client/client.ts'
import { followRunEvents } from '../client/run-events.ts'
import { CliError, exitCodes } from '../failure.ts'
import { note, printJson } from '../render/print.ts'
import { createRunView } from '../render/run.ts'
import { plain } from '../render/terminal.ts'

/** After an event the run is read again so soon, and again while what it began is being noted: less and less often. */
const quiet = { firstMs: 250, factor: 3, mostMs: 15_000 }
/** Of more steps that run at once nobody reads what each waits for. */
const mostExplained = 20

const pathOf = (id: string): string => `/runs/${encodeURIComponent(id)}`

/** What steps wait for that somebody has to do something about. */
const helped = new Set(['WAITING_FOR_APPROVAL', 'WAITING_FOR_INPUT', 'WAITING_FOR_RESPONSE', 'NO_CAPABLE_AGENT'])

const waitsOf = async (client: Client, run: RunResponse, signal?: AbortSignal): Promise<string[]> => {
  const open = (run.steps ?? []).filter(({ state }) => state === 'RUNNING')
  if (open.length === 0 || open.length > mostExplained) return []
  const { steps } = await client.get<RunWhy>(`${pathOf(run.id)}/why`, { signal })
  return steps
    .filter(({ code }) => helped.has(code))
    .map(({ name, index, message, wouldChange }) => {
      const step = index === undefined ? name : `${name}[${index}]`
      return plain(`${step} ${message}${wouldChange === undefined ? '' : `; ${wouldChange}`}`)
    })
}

/** Calls `work` after a pause that begins anew with each `poke` and grows while nothing happens; one at a time. */
const createPulse = (work: () => Promise<void>) => {
  let timer: NodeJS.Timeout | undefined
  let [closed, busy, pause]: [boolean, boolean, number] = [false, false, quiet.firstMs]
  let running: Promise<void> = Promise.resolve()
  const arm = (): void => {
    if (closed || busy || timer !== undefined) return
    timer = setTimeout(() => {
      ;[timer, busy] = [undefined, true]
      pause = Math.min(pause * quiet.factor, quiet.mostMs)
      running = work()
        .catch(() => undefined) // the stream of events tells of a server that is away
        .finally(() => {
          busy = false
          arm()
        })
    }, pause)
  }
  return {
    poke(): void {
      if (pause > quiet.firstMs) clearTimeout(timer)
      if (pause > quiet.firstMs) timer = undefined
      pause = quiet.firstMs
      arm()
    },
    async close(): Promise<void> {
      closed = true
      clearTimeout(timer)
      await running
    },
  }
}

/** Shows a run until it is over; the exit code tells how it ended. */
export const followRun = async (
  client: Client,
  id: string,
  { json }: { json?: boolean },
  signal?: AbortSignal,
): Promise<void> => {
  const view = createRunView(process.stderr)
  const show = async (): Promise<RunResponse> => {
    const run = await client.get<RunResponse>(pathOf(id), { signal })
    view.update(run, await waitsOf(client, run, signal))
    return run
  }
  const pulse = createPulse(async () => void (await show()))
  note(id)
  try {
    const onLost = (error: Error): void => note(`${error.message}; trying again`)
    for await (const _ of followRunEvents(client, id, { signal, onLost })) pulse.poke()
  } finally {
    await pulse.close()
  }
  finish(await show(), json)
}

const finish = (run: RunResponse, json: boolean | undefined): void => {
  const { id, state, output, outputRef, error, cause, undone } = run
  if (json) printJson(run)
  else if (state === 'SUCCEEDED') printJson(outputRef ?? output ?? null)
  if (state === 'SUCCEEDED') return
  const stays = undone?.filter((one) => !one.undone).map(({ step }) => step) ?? []
  const undoing = undone && (stays.length > 0 ? `; not undone: ${stays.join(', ')}` : '; what it had done was undone')
  throw new CliError(
    plain(`run ${id} is ${state}${error ? `: ${error}` : ''}${cause ? `: ${cause}` : ''}${undoing ?? ''}`),
    exitCodes.taskFailed,
  )
}
