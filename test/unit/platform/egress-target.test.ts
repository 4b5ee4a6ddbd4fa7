import { expect, it } from 'vitest'
import { isAllowance } from '#shared/platform/egress-target.ts'

it.each(['localhost', 'hooks.corp:8443', '10.0.0.7', '10.0.0.7:80', '10.0.0.0/8', '::1', 'fd00::/8'])(
  '%s can be allowed',
  (text) => expect(isAllowance(text)).toBe(true),
)

it.each([
  '10.0.0.0/99',
  '172.16.0.0/-1',
  'foo bar',
  'http://192.168.1.5/',
  '192.168.2.1:99999',
  '10.0.0.0/',
  'a:b',
  '',
])('%s allows nothing, and is no allowance', (text) => expect(isAllowance(text)).toBe(false))
