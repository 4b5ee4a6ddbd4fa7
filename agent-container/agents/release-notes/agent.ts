import { capability, defineAgent } from '#agent/sdk/index.ts'
import { notesInput, notesResult, tagInput, tagResult, untagInput, untagResult } from './contract.ts'

export default defineAgent({
  name: 'release-notes',
  type: 'release-notes',
  description:
    'Writes release notes from the history of a repository, recommends its next version, and tags a clone with it.',
  capabilities: {
    'release.notes': capability({
      description:
        'Groups the commits between two refs into Markdown, names breaking changes, and recommends the next version, with or without conventional commits.',
      input: notesInput,
      output: notesResult,
      handler: async (ctx, input) => (await import('./write-notes.ts')).writeNotes(ctx, input),
    }),
    'release.tag': capability({
      description: 'Makes an annotated tag in a clone of the repository, and uploads the clone as a bundle.',
      input: tagInput,
      output: tagResult,
      handler: async (ctx, input) => (await import('./tag-release.ts')).tagRelease(ctx, input),
    }),
    'release.untag': capability({
      description: 'Removes a tag from a clone, and uploads the clone without it.',
      input: untagInput,
      output: untagResult,
      handler: async (ctx, input) => (await import('./tag-release.ts')).untagRelease(ctx, input),
    }),
  },
})
