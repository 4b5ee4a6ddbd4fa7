export type Place = { file: string; line: number }

/** Where each language writes `file:line`; the first pattern that matches a line of a stack wins. */
const framePatterns = [
  // at name (file:line:column), at file:line:column
  /^\s*at .*?\((?:file:\/\/)?([^()]+):(\d+):\d+\)$/,
  /^\s*at (?:async )?(?:file:\/\/)?([^\s()][^()]*):(\d+):\d+$/,
  // node's TAP reporter leaves the "at" out
  /^\s*(?:async )?[\w.<>[\] ]*\((?:file:\/\/)?([^()]+):(\d+):\d+\)$/,
  // vitest: ❯ name file:line:column; ava: › file://file:line:column
  /^ *[❯›] (?:[^\n]* )?(?:file:\/\/)?(\S+?):(\d+):\d+$/,
  /^(?:file:\/\/)?(\/[^()]+):(\d+):\d+$/,
]

const excerpt = /^\s*(?:>?\s*\d+ \||\|)/
const foreign = /node_modules\/|^node:|^internal\//

const placeIn = (line: string): Place | undefined => {
  for (const pattern of framePatterns) {
    const [, file, number] = pattern.exec(line) ?? []
    if (file !== undefined) return { file, line: Number(number) }
  }
  return undefined
}

/** The first frame of a JavaScript stack that is not of Node or of a package. */
export const placeOfStack = (stack: string): Place | undefined => {
  for (const line of stack.split('\n')) {
    const place = placeIn(line)
    if (place && !foreign.test(place.file)) return place
  }
  return undefined
}

/** What stands before the frames, without excerpts of the source. */
export const messageOfStack = (stack: string): string => {
  const lines = stack.split('\n')
  const first = lines.findIndex((line) => placeIn(line) !== undefined)
  const message = lines.slice(0, first < 0 ? undefined : first).filter((line) => !excerpt.test(line))
  return message.join('\n').trim()
}

/** The place of a failure in a test file: frames may name that file from another folder. */
export const placeInFile = (file: string, stack: string): { file: string; line?: number } => {
  const place = placeOfStack(stack)
  if (!place) return { file }
  return file.endsWith(`/${place.file}`) ? { file, line: place.line } : place
}
