import { Command } from 'commander'
import { afterEach, expect, it, vi } from 'vitest'
import { addConnection, timeOrWhile, unless } from '#cli/tree/options.ts'

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

it('a time is given as it is, or as a while from now', () => {
  expect(timeOrWhile('2030-01-31T12:00:00+01:00')).toBe('2030-01-31T11:00:00.000Z')
  const inTenMinutes = Date.parse(timeOrWhile('+10m')) - Date.now()
  expect(Math.abs(inTenMinutes - 600_000)).toBeLessThan(1000)
  for (const text of ['tomorrow', '10m', '+10', '+10w', '2030', '2030-01-31', '2030-13-01T00:00:00Z'])
    expect(() => timeOrWhile(text)).toThrow('expected a time such as')
})

it.each([
  { args: [], url: 'http://elsewhere', apiKey: 'theirs', data: '.devcycle' },
  { args: ['--data', 'mine'], url: undefined, apiKey: undefined, data: 'mine' },
  { args: ['--data', 'mine', '--api-key', 'given'], url: undefined, apiKey: 'given', data: 'mine' },
  { args: ['--data', 'mine', '--url', 'http://given'], url: 'http://given', apiKey: 'theirs', data: 'mine' },
])('with $args the server is $url, the key $apiKey', async ({ args, ...expected }) => {
  vi.stubEnv('DEVCYCLE_URL', 'http://elsewhere')
  vi.stubEnv('DEVCYCLE_API_KEY', 'theirs')
  vi.stubEnv('DEVCYCLE_DATA', undefined)
  const act = vi.fn()
  await addConnection(new Command()).action(act).parseAsync(args, { from: 'user' })
  expect(act.mock.calls[0]?.[0]).toEqual(expected)
})
