import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { AgentContext } from '#agent/sdk/index.ts'
import { type CheckedOut, checkOut } from '../repository/check-out.ts'
import type { Subject } from './analyzer.ts'
import { analyzers } from './analyzers/registry.ts'
import { createCollection } from './collect.ts'
import { limits, type ReviewInput, type ReviewResult } from './contract.ts'
import type { Finding } from './finding.ts'
import { createMask } from './mask.ts'
import { toMarkdown } from './report/markdown.ts'
import { toSarif } from './report/sarif.ts'
import { runAnalyzers } from './run-analyzers.ts'
import { type Changes, changesSince } from './source/changed-lines.ts'
import { readSource } from './source/read-source.ts'
import { listSourceFiles, type SourceFiles } from './source/source-files.ts'

/** Checks out, runs every analyzer that has something to look at, and reports; findings are streamed as they come. */
export const review = async (ctx: AgentContext, input: ReviewInput): Promise<ReviewResult> => {
  ctx.progress(0, 'checking out')
  const repository = await ctx.span('check out', () =>
    checkOut(ctx, { repository: input.repository, ...(!input.base && { depth: 1 }) }),
  )
  const changes = input.base ? await changesSince(repository.git, input.base, repository.head) : undefined
  ctx.progress(5, 'listing files')
  const listed = await listSourceFiles(repository.git, input.paths)
  const subject = await createSubject(ctx, { repository, listed, changes })
  const collection = createCollection({ least: input.minSeverity, onFinding: streamTo(ctx) })
  const reports = await runAnalyzers(ctx, { analyzers, subject, collection, mask: createMask() })
  ctx.progress(98, 'writing the report')
  const findings = collection.findings()
  const total = Object.values(collection.counts).reduce((sum, count) => sum + count, 0)
  const outcome = {
    counts: collection.counts,
    files: subject.files.length,
    lines: subject.files.reduce((sum, { lines }) => sum + lines, 0),
    skipped: listed.skipped,
    analyzers: reports,
    head: repository.head,
    ...(changes && { base: changes.base }),
    ...(findings.length < total && { truncated: { kept: findings.length, of: total } }),
  }
  const source = 'url' in input.repository ? input.repository.url : undefined
  return {
    sarif: toSarif({ ...outcome, findings, source }),
    markdown: toMarkdown({ ...outcome, findings }),
    ...outcome,
  }
}

type Parts = { repository: CheckedOut; listed: SourceFiles; changes: Changes | undefined }

export type SubjectBase = Omit<Subject, 'advance' | 'note' | 'mask'>

const createSubject = async (ctx: AgentContext, { repository, listed, changes }: Parts): Promise<SubjectBase> => {
  const scratch = path.join(ctx.workspace, 'scratch')
  await mkdir(scratch)
  return {
    folder: repository.folder,
    everything: listed.files,
    files: changes ? listed.files.filter((file) => changes.has(file.path)) : listed.files,
    concerns: changes ? changes.touches : () => true,
    read: (file) => readSource(repository.folder, file),
    scratch,
    signal: ctx.signal,
  }
}

const streamTo = (ctx: AgentContext) => {
  let sent = 0
  return (finding: Finding) => {
    if (sent < limits.streamed) ctx.output({ type: 'finding', ...finding })
    if (sent === limits.streamed) ctx.output({ type: 'note', message: 'further findings are in the result only' })
    sent++
  }
}
