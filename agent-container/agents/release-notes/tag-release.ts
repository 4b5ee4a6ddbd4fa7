import path from 'node:path'
import { type AgentContext, AgentError } from '#agent/sdk/index.ts'
import { checkOut } from '../repository/check-out.ts'
import type { Git } from '../repository/git.ts'
import { resolveCommit } from '../repository/resolve-commit.ts'
import type { TagInput, TagResult, UntagInput, UntagResult } from './contract.ts'

const identity = ['-c', 'user.name=DevCycle', '-c', 'user.email=devcycle@localhost']
const refOf = (tag: string): string => `refs/tags/${tag}`

/** Tags a clone of the repository with its notes, and uploads the clone: whoever publishes takes the tag from there. */
export const tagRelease = async (ctx: AgentContext, { repository, tag, message }: TagInput): Promise<TagResult> => {
  const { git, head } = await ctx.span('check out', () => checkOut(ctx, { repository }))
  if (await resolveCommit(git, refOf(tag)))
    throw new AgentError(`the repository has a tag ${tag} already`, { code: 'TAG_EXISTS', retryable: false })
  await git.run(...identity, 'tag', '--annotate', '--cleanup=verbatim', `--message=${message}`, tag, head)
  ctx.progress(50, `${tag} is on ${head}`)
  return { tag, commit: head, clone: await upload(ctx, git) }
}

/** Uploads a clone without the tag; one that has none is as it should be. */
export const untagRelease = async (ctx: AgentContext, { repository, tag }: UntagInput): Promise<UntagResult> => {
  const { git } = await ctx.span('check out', () => checkOut(ctx, { repository }))
  const removed = (await resolveCommit(git, refOf(tag))) !== undefined
  if (removed) await git.run('tag', '--delete', tag)
  return { tag, removed, clone: await upload(ctx, git) }
}

const upload = async (ctx: AgentContext, git: Git): Promise<{ $ref: string }> => {
  const file = 'clone.bundle'
  await git.run('bundle', 'create', '--quiet', path.join(ctx.workspace, file), '--all')
  return ctx.objects.put({ file }, { contentType: 'application/octet-stream' })
}
