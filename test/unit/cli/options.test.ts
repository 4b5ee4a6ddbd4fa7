import { Command } from 'commander'
import { afterEach, expect, it, vi } from 'vitest'
import { unless } from '#cli/tree/options.ts'

afterEach(() => void vi.unstubAllEnvs())

const isOn = (value: string | undefined, args: string[] = []): boolean => {
  vi.stubEnv('DEVCYCLE_NO_TOUR', value)
  const command = new Command().addOption(unless('--no-tour', 'no tour', 'DEVCYCLE_NO_TOUR'))
  return command.parse(args, { from: 'user' }).opts<{ tour: boolean }>().tour
}

it.each([undefined, '', '0', 'false', 'FALSE'])('a variable that is %s does not switch off', (value) => {
  expect(isOn(value)).toBe(true)
  expect(isOn(value, ['--no-tour'])).toBe(false)
})

it.each(['1', 'true', 'yes'])('a variable that is %s switches off', (value) => {
  expect(isOn(value)).toBe(false)
})
