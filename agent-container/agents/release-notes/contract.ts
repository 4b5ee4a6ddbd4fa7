import * as z from 'zod'
import { objectRefSchema } from '#shared/contracts/common.ts'
import { repositoryInput } from '../repository/check-out.ts'

export const limits = {
  /** Entries of `groups`, over all groups. */
  entries: 500,
  /** Characters of `markdown`; what is longer is uploaded whole. */
  markdown: 60_000,
  /** Characters of a subject, a scope or an author's name. */
  subject: 300,
  /** Breaking changes told. */
  breaking: 100,
  /** Characters of the note of one breaking change. */
  note: 500,
}

const refInput = z.string().min(1).max(255).optional()

export const notesInput = z.strictObject({
  repository: repositoryInput,
  /** A tag, branch or commit that is not told any more. @default the latest version tag before `to`, else the root */
  from: refInput,
  /** @default what was checked out */
  to: refInput,
})
export type NotesInput = z.infer<typeof notesInput>

/** As `git check-ref-format` has names of tags, and nothing that could be an option. */
const tag = z
  .string()
  .min(1)
  .max(200)
  .regex(/^(?![-./])(?!.*(\.\.|\/\/|\/\.|@\{))[^\s\p{Cc}~^:?*[\\]+(?<!\.lock)(?<![./])$/u, 'expected the name of a tag')

export const tagInput = z.strictObject({
  repository: repositoryInput,
  tag,
  /** Of the annotated tag. */
  message: z
    .string()
    .min(1)
    .max(limits.markdown + 100),
})
export type TagInput = z.infer<typeof tagInput>
export const tagResult = z.object({
  tag: z.string(),
  /** What was tagged: what was checked out. */
  commit: z.string(),
  /** A bundle of everything, the tag too. */
  clone: objectRefSchema,
})
export type TagResult = z.infer<typeof tagResult>

export const untagInput = z.strictObject({ repository: repositoryInput, tag })
export type UntagInput = z.infer<typeof untagInput>
export const untagResult = z.object({
  tag: z.string(),
  /** Whether it was there. */
  removed: z.boolean(),
  clone: objectRefSchema,
})
export type UntagResult = z.infer<typeof untagResult>

export const bumps = ['major', 'minor', 'patch', 'none'] as const
export type Bump = (typeof bumps)[number]

const point = z.object({ ref: z.string(), commit: z.string() })
const entry = z.object({
  hash: z.string(),
  subject: z.string(),
  type: z.string().optional(),
  scope: z.string().optional(),
  author: z.string().optional(),
})
const breakingChange = z.object({ commit: z.string(), summary: z.string(), note: z.string() })
const recommendation = z.object({
  /** Of the latest version tag, `null` where there is none. */
  current: z.string().nullable(),
  recommended: z.string(),
  bump: z.enum(bumps),
  reason: z.string(),
})

export const notesResult = z.object({
  markdown: z.string(),
  /** The whole Markdown as an object, when `markdown` had to be cut. */
  complete: z.object({ $ref: z.string() }).optional(),
  version: recommendation,
  breaking: z.array(breakingChange),
  groups: z.array(
    z.object({
      title: z.string(),
      /** How many there are; `entries` may hold fewer. */
      count: z.int(),
      entries: z.array(entry),
    }),
  ),
  /** Merges are not counted. */
  commits: z.int(),
  /** `null`: from the first commit on. */
  from: point.nullable(),
  to: point,
})
export type NotesResult = z.infer<typeof notesResult>
export type Entry = z.infer<typeof entry>
export type BreakingChange = z.infer<typeof breakingChange>
export type Recommendation = z.infer<typeof recommendation>
export type Point = z.infer<typeof point>
