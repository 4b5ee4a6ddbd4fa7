import { aPlatform } from '#test/support/embedded.ts'
import type { StepCommand } from '#test/support/runs.ts'
import { workflowsContract } from './workflows-contract.ts'

workflowsContract('embedded', async () => {
  const { platform, close } = await aPlatform()
  const commands: StepCommand[] = []
  platform.workflows.serve({
    onCommand: async (body) => void commands.push(body as StepCommand),
    onEnd: async () => undefined,
  })
  return { workflows: platform.workflows, commands: () => commands, close }
})
