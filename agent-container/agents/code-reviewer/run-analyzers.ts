import type { AgentContext } from '#agent/sdk/index.ts'
import { type Analyzer, type Subject, Unavailable } from './analyzer.ts'
import type { Collection } from './collect.ts'
import type { AnalyzerReport } from './contract.ts'
import type { Mask } from './mask.ts'
import type { SubjectBase } from './review.ts'

type Parts = { analyzers: readonly Analyzer[]; subject: SubjectBase; collection: Collection; mask: Mask }

/** Of the progress, what lies before and behind the analyzers. */
const span = { from: 8, to: 97 }

/** One after the other: memory is what two at a time would not have. One that fails does not stop the others. */
export const runAnalyzers = async (ctx: AgentContext, parts: Parts): Promise<AnalyzerReport[]> => {
  const reports: AnalyzerReport[] = []
  const share = (span.to - span.from) / parts.analyzers.length
  for (const [index, analyzer] of parts.analyzers.entries()) {
    ctx.signal.throwIfAborted()
    const progress = { from: span.from + index * share, share }
    reports.push(await ctx.span(analyzer.id, () => runAnalyzer(ctx, { ...parts, analyzer, progress })))
  }
  return reports
}

type One = Parts & { analyzer: Analyzer; progress: { from: number; share: number } }

const runAnalyzer = async (ctx: AgentContext, parts: One): Promise<AnalyzerReport> => {
  const { analyzer, subject, collection } = parts
  const { id } = analyzer
  const files = subject.files.filter((file) => analyzer.applies(file))
  if (files.length === 0) return { id, status: 'skipped', reason: `no ${analyzer.looksAt}`, findings: 0 }
  const notes: string[] = []
  const report = (status: AnalyzerReport['status'], reason?: string): AnalyzerReport => ({
    id,
    status,
    ...(reason !== undefined && { reason: parts.mask.apply(reason) }),
    findings: collection.countOf(id),
  })
  try {
    await follow(ctx, { ...parts, subject: { ...subject, files }, notes })
    return report('ran', notes.length > 0 ? notes.join('; ') : undefined)
  } catch (error) {
    ctx.signal.throwIfAborted()
    const reason = error instanceof Error ? error.message : String(error)
    if (!(error instanceof Unavailable)) ctx.log('error', `${id} failed: ${parts.mask.apply(reason)}`)
    return report(error instanceof Unavailable ? 'skipped' : 'failed', [...notes, reason].join('; '))
  }
}

const follow = async (ctx: AgentContext, parts: One & { notes: string[] }): Promise<void> => {
  const { analyzer, subject, collection, mask, progress, notes } = parts
  const advance = createAdvance(ctx, { total: subject.files.length, label: analyzer.id, ...progress })
  const full: Subject = { ...subject, advance, note: (text) => void notes.push(text), mask: mask.add }
  advance(0)
  for await (const remark of analyzer.run(full)) {
    if (!subject.concerns(remark.file, remark.line, remark.endLine)) continue
    collection.add({ ...remark, message: mask.apply(remark.message), analyzer: analyzer.id })
  }
}

type Advance = { total: number; label: string; from: number; share: number }

/** Tells progress when the number shown changes. */
const createAdvance = (ctx: AgentContext, { total, label, from, share }: Advance) => {
  let done = 0
  let shown = -1
  return (files: number) => {
    done = Math.min(total, done + files)
    const percent = Math.floor(from + (share * done) / total)
    if (percent === shown) return
    shown = percent
    ctx.progress(percent, `${label}: ${done} of ${total} files`)
  }
}
