import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Analyzer } from '#agent/agents/code-reviewer/analyzer.ts'
import { patterns } from '#agent/agents/code-reviewer/analyzers/patterns.ts'
import { isolated } from '#agent/agents/code-reviewer/isolation/isolated.ts'
import { aRepository, type TestRepository } from '#test/support/git-repository.ts'
import { inShort, runAnalyzer } from './run-analyzer.ts'

let home: TestRepository
beforeAll(() => {
  home = aRepository()
})
afterAll(() => home.remove())

let count = 0
/** An analyzer in a process of its own whose `run` is this code. */
const analyzerOf = (code: string): Analyzer => {
  const file = path.join(home.folder, `module${++count}.mjs`)
  writeFileSync(file, `export const made = { run: async function* (subject) { ${code} } }\n`)
  const shell: Analyzer = { id: 'made', looksAt: 'files', applies: () => true, run: patterns.run }
  return isolated(shell, file)
}
const remark = "{ file: 'a.ts', line: 1, severity: 'info', rule: 'x/y', message: 'm' }"

describe('an analyzer in a process of its own', () => {
  it('says what it would say in this one', async () => {
    const module = new URL('../../../../agent-container/agents/code-reviewer/analyzers/patterns.ts', import.meta.url)
      .href
    const files = { 'a.js': 'eval(x)\n', 'b/c.py': 'os.system(f"ls {x}")\n' }
    const [there, here] = await Promise.all([
      runAnalyzer(isolated(patterns, module), files),
      runAnalyzer(patterns, files),
    ])
    expect(there).toEqual(here)
    expect(inShort(there)).toHaveLength(2)
  })

  it('tells notes, secrets and progress in order', async () => {
    const advanced: number[] = []
    const analyzer = analyzerOf(
      `subject.mask('a secret'); subject.advance(1); yield ${remark}; subject.note('half'); subject.advance(2)`,
    )
    const ran = await runAnalyzer(analyzer, { 'a.ts': 'x' }, { advance: (files) => void advanced.push(files) })
    expect(ran).toMatchObject({ masked: ['a secret'], notes: ['half'], remarks: [{ rule: 'x/y' }] })
    expect(advanced).toEqual([1, 2])
  })

  it('fails with what went wrong, also when it is an import or a crash', async () => {
    const run = (code: string) => runAnalyzer(analyzerOf(code), { 'a.ts': 'x' })
    await expect(run("throw new TypeError('no such thing')")).rejects.toThrow('no such thing')
    await expect(run("await import('nowhere')")).rejects.toThrow(/nowhere/)
    await expect(run(`yield ${remark}; process.kill(process.pid, 'SIGSEGV')`)).rejects.toThrow(/it ended with SIGSEGV/)
    await expect(run('process.exit(3)')).rejects.toThrow(/it ended with 3/)
    await expect(run("console.error('last words'); process.exit(1)")).rejects.toThrow(/last words/)
  })

  it('knows nothing of this process’s environment', async () => {
    process.env.DEVCYCLE_TEST_SECRET = 'x'
    const analyzer = analyzerOf(
      "subject.note(Object.keys(process.env).filter((name) => name !== 'NODE_CHANNEL_FD').sort().join())",
    )
    const { notes } = await runAnalyzer(analyzer, { 'a.ts': 'x' })
    delete process.env.DEVCYCLE_TEST_SECRET
    expect(notes).toEqual([expect.not.stringContaining('DEVCYCLE')])
  })

  it('is killed when the task is cancelled, even while it is busy', async () => {
    const controller = new AbortController()
    const analyzer = analyzerOf('subject.note(String(process.pid)); for (;;);')
    let pid = 0
    const note = (text: string) => {
      pid = Number(text)
      controller.abort()
    }
    const ran = runAnalyzer(analyzer, { 'a.ts': 'x' }, { signal: controller.signal, note })
    await expect(ran).rejects.toMatchObject({ name: 'AbortError' })
    await expect.poll(() => isAlive(pid)).toBe(false)
  })
})

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
