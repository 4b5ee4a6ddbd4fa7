import { afterEach, describe, expect, it } from 'vitest'
import { type Analyzer, type Subject, Unavailable } from '#agent/agents/code-reviewer/analyzer.ts'
import { createCollection } from '#agent/agents/code-reviewer/collect.ts'
import { createMask } from '#agent/agents/code-reviewer/mask.ts'
import { runAnalyzers } from '#agent/agents/code-reviewer/run-analyzers.ts'
import type { SourceFile } from '#agent/agents/code-reviewer/source/source-files.ts'
import { anAgentContext, type TestContext } from '#test/support/agent-context.ts'

const contexts: TestContext[] = []
afterEach(() => {
  for (const one of contexts.splice(0)) one.remove()
})

const anAnalyzer = (id: string, run: (subject: Subject) => void, change: Partial<Analyzer> = {}): Analyzer => ({
  id,
  looksAt: 'files',
  applies: () => true,
  run: async function* (subject) {
    yield { file: 'a.ts', line: 1, severity: 'error', rule: `${id}/x`, message: `${id} says hunter2hunter2` }
    run(subject)
  },
  ...change,
})

const run = async (analyzers: Analyzer[], change: Partial<Subject> = {}) => {
  const ctx = anAgentContext()
  contexts.push(ctx)
  const files: SourceFile[] = [{ path: 'a.ts', lines: 1, test: false, lockfile: false }]
  const subject = {
    folder: ctx.workspace,
    files,
    everything: files,
    concerns: () => true,
    read: async () => '',
    scratch: ctx.workspace,
    signal: ctx.signal,
    ...change,
  }
  const collection = createCollection({ least: 'info' })
  const reports = await runAnalyzers(ctx, { analyzers, subject, collection, mask: createMask() })
  return { reports, findings: collection.findings(), ctx }
}

describe('running analyzers', () => {
  it('goes on after one that failed, keeps what it had found, and says why', async () => {
    const { reports, findings, ctx } = await run([
      anAnalyzer('broken', () => {
        throw new Error('no hunter2hunter2')
      }),
      anAnalyzer('missing', () => {
        throw new Unavailable('no program for this host')
      }),
      anAnalyzer('fine', (subject) => subject.note('half of it')),
      anAnalyzer('other', () => undefined, { applies: () => false, looksAt: 'COBOL files' }),
    ])
    expect(reports).toEqual([
      { id: 'broken', status: 'failed', reason: 'no hunter2hunter2', findings: 1 },
      { id: 'missing', status: 'skipped', reason: 'no program for this host', findings: 1 },
      { id: 'fine', status: 'ran', reason: 'half of it', findings: 1 },
      { id: 'other', status: 'skipped', reason: 'no COBOL files', findings: 0 },
    ])
    expect(findings).toHaveLength(3)
    expect(ctx.told.logs).toEqual([{ level: 'error', message: 'broken failed: no hunter2hunter2' }])
  })

  it('masks in findings, reasons and logs what an earlier analyzer found', async () => {
    const teller = anAnalyzer('teller', (subject) => subject.mask('hunter2hunter2'))
    const broken = anAnalyzer('broken', () => {
      throw new Error('no hunter2hunter2')
    })
    const { reports, findings, ctx } = await run([teller, broken])
    expect(findings.find(({ analyzer }) => analyzer === 'broken')?.message).toBe('broken says ***')
    expect(JSON.stringify([reports[1], ctx.told.logs])).not.toContain('hunter2')
  })

  it('drops what is not wanted', async () => {
    const { findings, reports } = await run([anAnalyzer('fine', () => undefined)], { concerns: () => false })
    expect([findings, reports[0]?.findings]).toEqual([[], 0])
  })
})
