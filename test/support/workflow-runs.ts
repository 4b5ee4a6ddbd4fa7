import { expect } from 'vitest'
import type { TestApi } from './api.ts'
import { eventually } from './eventually.ts'

/** Stores definitions, starts runs of them, and waits for their ends. */
export const workflowRuns = (api: () => TestApi) => {
  const save = async (text: string): Promise<string> => {
    const { status, body } = await api().post('/workflows', { definition: text })
    if (status >= 300) throw new Error(JSON.stringify(body))
    return body.name
  }
  const start = async (workflow: string, input?: unknown) =>
    (await api().post(`/workflows/${workflow}/runs`, { input })).body
  const ended = (id: string, seconds?: number) =>
    eventually(
      async () => {
        const { body } = await api().get(`/runs/${id}`)
        expect(['RUNNING', 'COMPENSATING']).not.toContain(body.state)
        return body
      },
      seconds && seconds * 1000,
    )
  const outcome = async (text: string, input?: unknown) => ended((await start(await save(text), input)).id)
  return { save, start, ended, outcome }
}

export const stepOf = <Step extends { name: string }>(run: { steps: Step[] }, name: string): Step | undefined =>
  run.steps.find((step) => step.name === name)
