import { capability, defineAgent } from '#agent/sdk/index.ts'
import { notesInput, notesResult } from './contract.ts'

export default defineAgent({
  name: 'release-notes',
  type: 'release-notes',
  description: 'Writes release notes from the history of a repository and recommends its next version.',
  capabilities: {
    'release.notes': capability({
      description:
        'Groups the commits between two refs into Markdown, names breaking changes, and recommends the next version, with or without conventional commits.',
      input: notesInput,
      output: notesResult,
      handler: async (ctx, input) => (await import('./write-notes.ts')).writeNotes(ctx, input),
    }),
  },
})
