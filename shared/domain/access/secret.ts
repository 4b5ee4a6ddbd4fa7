import { hash as digest, timingSafeEqual } from 'node:crypto'
import type { Platform } from '../../platform/platform.ts'

/** 256 random bits, URL-safe. */
export const newSecret = ({ random }: Pick<Platform, 'random'>): string =>
  Buffer.from(random.bytes(32)).toString('base64url')

/** Secrets have 256 bits of their own, so a plain digest is enough to keep them at rest. */
export const hashSecret = (secret: string): string => digest('sha256', secret)

/** In constant time. */
export const matchesHash = (secret: string, hash: string): boolean => {
  const [given, stored] = [Buffer.from(hashSecret(secret)), Buffer.from(hash)]
  return given.length === stored.length && timingSafeEqual(given, stored)
}
