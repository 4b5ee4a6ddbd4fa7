import { stripVTControlCharacters } from 'node:util'
import colors from 'picocolors'

/** Colours only for a terminal that wants them. https://no-color.org */
export const colorsFor = (stream: NodeJS.WriteStream): ReturnType<typeof colors.createColors> => {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  return colors.createColors(!NO_COLOR && (Boolean(FORCE_COLOR) || (stream.isTTY && TERM !== 'dumb')))
}

/** Whether lines may be drawn over. */
export const canAnimate = (stream: NodeJS.WriteStream): boolean => stream.isTTY && process.env.TERM !== 'dumb'

/** Text of agents and repositories on one line, with nothing in it that a terminal would act upon. */
export const plain = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(/[\s\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .trim()
