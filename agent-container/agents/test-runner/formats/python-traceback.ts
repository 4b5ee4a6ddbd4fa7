import type { Place } from './stack-frames.ts'

const frame = /^ *File "([^"]+)", line (\d+)/
const notOurs = /\/(site-packages|dist-packages|lib\/python[\d.]+)\/|^</

/** The innermost frame that is not of the standard library or of an installed package. */
export const placeOfTraceback = (traceback: string): Place | undefined => {
  const frames = traceback
    .split('\n')
    .map((line) => frame.exec(line))
    .flatMap((match) => (match?.[1] ? [{ file: match[1], line: Number(match[2]) }] : []))
  return frames.findLast(({ file }) => !notOurs.test(file)) ?? frames.at(-1)
}

/** What follows the last frame and the source line under it: the exception. */
export const messageOfTraceback = (traceback: string): string => {
  const lines = traceback.trimEnd().split('\n')
  const last = lines.findLastIndex((line) => frame.test(line))
  const message = lines.slice(last + 1).findIndex((line) => /^\S/.test(line))
  return lines
    .slice(last < 0 || message < 0 ? 0 : last + 1 + message)
    .join('\n')
    .trim()
}
