/** Replaces every secret it was told of, wherever a text quotes one. */
export type Mask = { add(secret: string): void; apply(text: string): string }

/** Shorter ones would mask half of every message. */
const shortest = 6

export const createMask = (): Mask => {
  const secrets = new Set<string>()
  return {
    add: (secret) => {
      for (const line of secret.split('\n')) if (line.trim().length >= shortest) secrets.add(line.trim())
    },
    apply: (text) => {
      let masked = text
      for (const secret of secrets) masked = masked.replaceAll(secret, '***')
      return masked
    },
  }
}
