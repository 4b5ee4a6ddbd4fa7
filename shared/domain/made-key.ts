/** An idempotency key that is made `of` the one a caller sent: none that a caller can choose, whose keys are one line. */
export const makeKey = (what: string, of: string, sent: string): string => [what, of, sent].join('\n')

/** What the caller sent of a key: all of it, where it was not made of another. */
export const sentKey = (key: string): string => key.split('\n').at(-1) ?? key
