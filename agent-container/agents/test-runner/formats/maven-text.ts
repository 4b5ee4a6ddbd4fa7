import type { TestFailure, TextFormat } from './report.ts'

const compilerError = /^\[ERROR\] (\S.*\.(?:java|kt|groovy|scala)):\[(\d+),\d+\] (.+)$/gm

/** What Maven prints of sources that do not compile; it says so twice. What its tests say is in surefire's XML. */
export const parseMavenText: TextFormat = (text) => {
  if (!/^\[ERROR\] COMPILATION ERROR/m.test(text)) return undefined
  const failures = new Map<string, TestFailure>()
  for (const [, file = '', line, message = ''] of text.matchAll(compilerError))
    failures.set(`${file}:${line}:${message}`, { name: file, message, file, line: Number(line) })
  return { passed: 0, failed: failures.size, skipped: 0, failures: [...failures.values()] }
}
