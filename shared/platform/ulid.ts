const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Bytes as characters of five bits each, most significant first; `held` bits of nothing go before them. */
const encodeBits = (bytes: Uint8Array, held: number): string => {
  let text = ''
  let [value, bits] = [0, held]
  for (const byte of bytes) {
    value = (value << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(value >>> (bits - 5)) & 31]
    value &= 31
  }
  return text
}

/** 16 bytes as 26 characters of Crockford base 32, most significant first. https://www.crockford.com/base32.html */
export const encodeCrockford = (bytes: Uint8Array): string => encodeBits(bytes, 2)

let lastTime = -1
let lastRandom: Uint8Array = new Uint8Array(10)

/** The next one need not be greater than those before: for a time that begins again, in a simulation. */
export const restartUlids = (): void => {
  lastTime = -1
}

/** The next larger 80-bit number, in place; overflow wraps, which 2^80 ids a millisecond would take. */
const increment = (bytes: Uint8Array): void => {
  for (let at = bytes.length - 1; at >= 0; at--) {
    const next = ((bytes[at] ?? 0) + 1) & 255
    bytes[at] = next
    if (next !== 0) return
  }
}

let encoded = { ms: -1, text: '' }

/** The same text for the same millisecond, which often comes many times in a row. */
const encodeTime = (ms: number): string => {
  if (encoded.ms === ms) return encoded.text
  let text = ''
  for (let rest = ms, at = 0; at < 10; at++) {
    text = alphabet[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  encoded = { ms, text }
  return text
}

/** When a ULID was made, in milliseconds since the epoch. */
export const ulidTime = (id: string): number =>
  [...id.slice(0, 10)].reduce((ms, digit) => ms * 32 + alphabet.indexOf(digit), 0)

/**
 * 48 bits of time and 80 random bits; strictly increasing within a process, also when the clock stands still or
 * steps back. https://github.com/ulid/spec
 */
export const ulid = (now: number, random: (length: number) => Uint8Array): string => {
  if (now > lastTime) {
    lastTime = now
    lastRandom = Uint8Array.from(random(10))
  } else increment(lastRandom)
  return encodeTime(lastTime) + encodeBits(lastRandom, 0)
}
