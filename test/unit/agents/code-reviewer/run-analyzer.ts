import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Analyzer, Subject } from '#agent/agents/code-reviewer/analyzer.ts'
import type { Remark } from '#agent/agents/code-reviewer/finding.ts'
import { readSource } from '#agent/agents/code-reviewer/source/read-source.ts'
import { listSourceFiles } from '#agent/agents/code-reviewer/source/source-files.ts'
import { createGit } from '#agent/agents/repository/git.ts'
import { aRepository, type Files } from '#test/support/git-repository.ts'

export type Ran = { remarks: Remark[]; notes: string[]; masked: string[] }

/** What one analyzer says of these files, in a repository of their own. */
export const runAnalyzer = async (analyzer: Analyzer, files: Files, change: Partial<Subject> = {}): Promise<Ran> => {
  const repository = aRepository(files)
  try {
    const scratch = path.join(repository.folder, '..', 'scratch')
    mkdirSync(scratch)
    const listed = await listSourceFiles(createGit({ folder: repository.folder, home: scratch }))
    const applicable = listed.files.filter((file) => analyzer.applies(file))
    const ran: Ran = { remarks: [], notes: [], masked: [] }
    const subject: Subject = {
      folder: repository.folder,
      files: applicable,
      everything: listed.files,
      concerns: () => true,
      read: (file) => readSource(repository.folder, file),
      scratch,
      signal: new AbortController().signal,
      advance: () => undefined,
      note: (text) => void ran.notes.push(text),
      mask: (secret) => void ran.masked.push(secret),
      ...change,
    }
    for await (const remark of analyzer.run(subject)) ran.remarks.push(remark)
    return ran
  } finally {
    repository.remove()
  }
}

/** `severity rule file:line`, by the alphabet. */
export const inShort = ({ remarks }: Ran): string[] =>
  remarks.map(({ severity, rule, file, line }) => `${severity} ${rule} ${file}:${line}`).sort()
