import { expect, it } from 'vitest'
import type { Client } from '#cli/client/client.ts'
import { runWorkflow } from '#cli/commands/run.ts'

const asked: string[] = []
const client = {
  create: async (path: string) => {
    asked.push(path)
    return { id: 'run_1' }
  },
} as unknown as Client

it.each(['nofile.yaml', 'nofile.yml', 'nofile.json', './nofile'])('what looks like a file is one: %s', async (name) => {
  const started = runWorkflow(client, name, {})
  await expect(started).rejects.toMatchObject({
    message: `${name} cannot be read: there is no such file`,
    exitCode: 2,
  })
  expect(asked).toEqual([])
})

it('all else is the name of a workflow', async () => {
  await runWorkflow(client, 'nightly.v2', { json: true })
  expect(asked).toEqual(['/workflows/nightly.v2/runs'])
})
