import { dedent, type TestFailure } from './report.ts'
import type { Place } from './stack-frames.ts'

const logged = /^\s+([\w.-]+\.go):(\d+): /
const compiled = /^(?:vet: )?(\S+\.go):(\d+)(?::\d+)?: /
const stackFrame = /^\t(\/.+\.go):(\d+) \+0x/
const chatter = /^\s*(=== |--- (?:FAIL|PASS|SKIP): |FAIL(\t|$)|exit status |ok {2}\t)/

/** Where a package's sources are, from the repository's root. */
export const folderOf = (packageName: string, module: string | undefined): string => {
  if (module === undefined) return packageName
  return packageName === module ? '' : packageName.replace(`${module}/`, '')
}

const placeOf = (lines: string[], folder: string): Place | undefined => {
  for (const line of lines) {
    const [, file, number] = logged.exec(line) ?? []
    if (file !== undefined) return { file: folder === '' ? file : `${folder}/${file}`, line: Number(number) }
    const [, whole, at] = compiled.exec(line) ?? []
    if (whole !== undefined) return { file: whole.replace(/^\.\//, ''), line: Number(at) }
  }
  return panicPlace(lines)
}

/** The first frame of a panic that is neither Go's own nor a dependency's. */
const panicPlace = (lines: string[]): Place | undefined => {
  const frames = lines.map((line) => stackFrame.exec(line)).filter((frame) => frame !== null)
  const own = frames.find(([, file = '']) => !/\/src\/(runtime|testing)\/|\/pkg\/mod\//.test(file))
  return own?.[1] ? { file: own[1], line: Number(own[2]) } : undefined
}

/** One failed test, or a package that does not build or run, from the lines it printed. */
export const goFailure = (name: string, output: string[], folder: string): TestFailure => {
  const lines = output.flatMap((piece) => piece.replace(/\n$/, '').split('\n')).filter((line) => !chatter.test(line))
  const first = lines.findIndex((line) => logged.test(line) || compiled.test(line) || /^panic: /.test(line))
  const stack = lines.findIndex((line) => /^goroutine \d+ /.test(line))
  const message = lines.slice(Math.max(0, first), stack < 0 ? undefined : stack)
  return { name, message: dedent(message), ...placeOf(lines, folder) }
}
