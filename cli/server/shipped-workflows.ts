import { readdirSync, readFileSync } from 'node:fs'
import { keepWorkflow } from '#functions/register/keep-workflow.ts'
import type { Platform } from '#shared/platform/platform.ts'

const folder = new URL('../../workflows/', import.meta.url)

/** Stores the workflows that come with the product; one that somebody has stored under such a name is left alone. */
export const keepShippedWorkflows = async (platform: Platform, tenant: string): Promise<void> => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
  await Promise.all(
    files.map((file) => {
      const source = readFileSync(new URL(file, folder), 'utf8')
      return keepWorkflow(platform, tenant, { name: file.replace(/\.yaml$/, ''), source })
    }),
  )
}
