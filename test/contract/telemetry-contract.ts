import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { LogLevel, MetricUnit, Telemetry } from '#shared/platform/platform.ts'
import { aUlid } from '#test/support/items.ts'
import { type Cannot, contractTest } from './contract-test.ts'

export type TelemetryUnderTest = {
  telemetry: Telemetry
  /** What was logged so far, one JSON object a line. */
  logged: () => string | Promise<string>
  /** What was measured so far, in the format of the host. */
  measured: () => string | Promise<string>
  close: () => Promise<void>
}

const levels: LogLevel[] = ['info', 'warn', 'error']
const units: MetricUnit[] = ['Count', 'Milliseconds', 'Seconds', 'Bytes', 'Percent']

const circular = (): Record<string, unknown> => {
  const fields: Record<string, unknown> = { list: [] }
  fields.itself = fields
  return fields
}

/** What `Telemetry` promises. */
export const telemetryContract = (
  name: string,
  make: () => Promise<TelemetryUnderTest>,
  { cannot }: { cannot?: Cannot } = {},
): void => {
  describe(`telemetry: ${name}`, () => {
    const it = contractTest(cannot)
    const context: { made?: TelemetryUnderTest } = {}
    const made = (): TelemetryUnderTest => {
      if (context.made === undefined) throw new Error('the telemetry is made before the tests run')
      return context.made
    }
    beforeAll(async () => {
      context.made = await make()
    })
    afterAll(() => context.made?.close())

    const linesAbout = async (text: string): Promise<string[]> => {
      await made().telemetry.flush()
      return (await made().logged()).split('\n').filter((line) => line.includes(text))
    }

    it('logs a message with its level and fields, as one line of JSON', async () => {
      for (const level of levels) {
        const message = `größer ${aUlid()}\nand more`
        made().telemetry.log(level, message, { task: 'tsk_1', count: 3 })
        const [line = '', ...rest] = await linesAbout(message.slice(7, 33))
        expect(rest).toEqual([])
        const parsed = JSON.parse(line) as { level: string; message: string; task: string; count: number }
        expect(parsed).toMatchObject({ message, task: 'tsk_1', count: 3 })
        expect(parsed.level.toLowerCase()).toBe(level)
      }
    })

    it('tells what an error says, and where it came from', async () => {
      const id = aUlid()
      made().telemetry.log('error', 'it broke', { error: new TypeError(`wrong ${id}`) })
      const [line = ''] = await linesAbout(id)
      expect(line).toContain('TypeError')
      expect(line).toContain('telemetry-contract')
    })

    it('never throws, whatever it is told', async () => {
      const { telemetry } = made()
      const getter = {
        get bad(): string {
          throw new Error('unreadable')
        },
      }
      const strange = [circular(), { big: 2n ** 70n }, { f: () => 1, s: Symbol('s'), u: undefined }, getter]
      for (const fields of strange) {
        const message = `strange ${aUlid()}`
        telemetry.log('warn', message, fields)
        expect(await linesAbout(message)).toHaveLength(1)
      }
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1]) telemetry.metric('Odd', value, 'Count')
      telemetry.metric('', 1, 'Count')
      telemetry.metric('name with spaces / and ünïcode', 1, 'Seconds', { 'a label': 'x', '': '' })
      telemetry.metric('Odd', 1, 'Bytes', { other: 'labels' })
      await telemetry.flush()
    })

    it('measures in every unit', async () => {
      for (const unit of units) {
        made().telemetry.metric(`Widgets${unit}Made`, 1, unit, { status: 'SUCCEEDED' })
        await made().telemetry.flush()
        const text = (await made().measured()).toLowerCase().replaceAll(/[^a-z]/g, '')
        expect(text).toContain(`widgets${unit.toLowerCase()}made`)
      }
    })

    it('gives back what the work of a span gives, and throws what it throws', async () => {
      const { telemetry } = made()
      const error = new Error('of the work')
      expect(await telemetry.span('work', { task: 'tsk_1' }, async () => 42)).toBe(42)
      await expect(telemetry.span('work', {}, () => Promise.reject(error))).rejects.toBe(error)
      const nested = telemetry.span('outer', {}, () => telemetry.span('inner', {}, async () => 'both'))
      expect(await nested).toBe('both')
    })

    it('flushes, again and with nothing to flush', async () => {
      await made().telemetry.flush()
      await Promise.all([made().telemetry.flush(), made().telemetry.flush()])
    })
  })
}
