const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** 16 bytes as 26 characters of Crockford base 32, most significant first. https://www.crockford.com/base32.html */
export const encodeCrockford = (bytes: Uint8Array): string => {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  let text = ''
  for (let at = 0; at < 26; at++) {
    text = alphabet[Number(value & 31n)] + text
    value >>= 5n
  }
  return text
}

let lastTime = -1
let lastRandom: Uint8Array = new Uint8Array(10)

/** The next larger 80-bit number, in place; overflow wraps, which 2^80 ids a millisecond would take. */
const increment = (bytes: Uint8Array): void => {
  for (let at = bytes.length - 1; at >= 0; at--) {
    const next = ((bytes[at] ?? 0) + 1) & 255
    bytes[at] = next
    if (next !== 0) return
  }
}

const encodeTime = (ms: number): string => {
  let text = ''
  for (let rest = ms, at = 0; at < 10; at++) {
    text = alphabet[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/** When a ULID was made, in milliseconds since the epoch. */
export const ulidTime = (id: string): number =>
  [...id.slice(0, 10)].reduce((ms, digit) => ms * 32 + alphabet.indexOf(digit), 0)

/** 80 bits as 16 characters, five bits each. */
const encodeRandom = (bytes: Uint8Array): string => {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(held >>> (bits - 5)) & 31]
    held &= 31
  }
  return text
}

/**
 * 48 bits of time and 80 random bits; strictly increasing within a process, also when the clock stands still or
 * steps back. https://github.com/ulid/spec
 */
export const ulid = (now: number, random: (length: number) => Uint8Array): string => {
  if (now > lastTime) {
    lastTime = now
    lastRandom = Uint8Array.from(random(10))
  } else increment(lastRandom)
  return encodeTime(lastTime) + encodeRandom(lastRandom)
}
