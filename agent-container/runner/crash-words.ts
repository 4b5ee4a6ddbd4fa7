/** Of what Node says last: the place, its line of source with the caret, the frames, native ones as well, the version. */
const noise = [
  /^(?:node:|file:|\/).*:\d+\n.*\n[\t ]*\^+\n/gm,
  /^\s+at .*$/gm,
  /^-+ .*stack ?trace -+$/gim,
  /^\s*\d+: 0x[\da-f]+ .*$/gm,
  /^Node\.js v\d.*$/gm,
]

/** What a process wrote before it ended, without stack traces: those say where, to whoever has the source. */
export const wordsOf = (stderr: string): string =>
  noise
    .reduce((text, pattern) => text.replace(pattern, ''), stderr)
    .replace(/\n{2,}/g, '\n')
    .trim()
