import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createJsonTelemetry } from '#shared/platform/embedded/json-telemetry.ts'
import { openLogFile } from '#shared/platform/embedded/log-file.ts'
import { telemetryContract } from './telemetry-contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'devcycle-log-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')

telemetryContract('JSON lines and Prometheus', async () => {
  const { write, flush, close } = openLogFile({ file: join(folder, 'contract.log') })
  const telemetry = createJsonTelemetry({ write, flush, now: Date.now })
  return {
    telemetry,
    logged: () => read('contract.log'),
    measured: telemetry.metricsText,
    close: async () => close(),
  }
})

describe('Prometheus metrics', () => {
  const anyTelemetry = () => createJsonTelemetry({ write: () => undefined, now: Date.now })

  test('count in base units, with their labels', async () => {
    const telemetry = anyTelemetry()
    for (const status of ['SUCCEEDED', 'SUCCEEDED', 'FAILED']) telemetry.metric('TasksFinished', 1, 'Count', { status })
    telemetry.metric('TaskDuration', 1500, 'Milliseconds', { status: 'SUCCEEDED' })
    const text = await telemetry.metricsText()
    expect(text).toContain('# TYPE devcycle_tasks_finished_total counter')
    expect(text).toContain('devcycle_tasks_finished_total{status="SUCCEEDED"} 2')
    expect(text).toContain('devcycle_tasks_finished_total{status="FAILED"} 1')
    expect(text).toContain('devcycle_task_duration_seconds_sum{status="SUCCEEDED"} 1.5')
    expect(text).toContain('devcycle_task_duration_seconds_bucket{le="2.5",status="SUCCEEDED"} 1')
  })

  test('keep counting when labels come and go', async () => {
    const telemetry = anyTelemetry()
    telemetry.metric('Reviews', 1, 'Count', { agent: 'a' })
    telemetry.metric('Reviews', 1, 'Count', { agent: 'a', unheard: 'of' })
    telemetry.metric('Reviews', 1, 'Count')
    const text = await telemetry.metricsText()
    expect(text).toContain('devcycle_reviews_total{agent="a"} 2')
    expect(text).toContain('devcycle_reviews_total{agent=""} 1')
  })

  test('tell about the process itself', async () => {
    const text = await anyTelemetry().metricsText()
    const resident = /^process_resident_memory_bytes (\d+)/m.exec(text)?.[1]
    expect(Number(resident)).toBeGreaterThan(10_000_000)
  })
})

describe('JSON log', () => {
  test('has spans only when the level is debug, with how long they took', async () => {
    const lines: string[] = []
    const write = (line: string): void => void lines.push(line)
    await createJsonTelemetry({ write, now: Date.now }).span('quiet', {}, async () => undefined)
    expect(lines).toEqual([])
    const telemetry = createJsonTelemetry({ write, now: Date.now, level: 'debug' })
    await telemetry.span('store', { task: 't' }, async () => undefined)
    await expect(telemetry.span('fail', {}, () => Promise.reject(new Error('why')))).rejects.toThrow('why')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'debug', message: 'store', task: 't', ms: expect.any(Number) },
      { message: 'fail', error: { message: 'why' } },
    ])
  })

  test('begins a new file when the old one is full, and keeps the old one', async () => {
    const log = openLogFile({ file: join(folder, 'full.log'), maxBytes: 1000 })
    for (let at = 0; at < 30; at++) {
      log.write(`${at} ${'x'.repeat(90)}\n`)
      await log.flush()
    }
    log.close()
    expect(read('full.log').length).toBeLessThanOrEqual(1000)
    expect(read('full.log.1').length).toBeLessThanOrEqual(1000)
    expect(read('full.log')).toContain('\n29 ')
  })

  test('counts what it had to leave out instead of growing without bound', async () => {
    const log = openLogFile({ file: join(folder, 'flood.log'), maxWaiting: 500 })
    for (let at = 0; at < 20; at++) log.write(`${'x'.repeat(99)}\n`)
    await log.flush()
    log.close()
    expect(
      read('flood.log')
        .split('\n')
        .filter((line) => line.startsWith('x')),
    ).toHaveLength(5)
    expect(read('flood.log')).toContain('15 lines were left out')
  })

  test('is whole when the process ends by itself', () => {
    const module = new URL('../../shared/platform/embedded/log-file.ts', import.meta.url).href
    const file = join(folder, 'exit.log')
    const program = `
      const { openLogFile } = await import(${JSON.stringify(module)})
      const log = openLogFile({ file: ${JSON.stringify(file)} })
      log.write('last words\\n')
      process.exit(3)`
    expect(() => execFileSync(process.execPath, ['--input-type=module', '--eval', program])).toThrow()
    expect(read('exit.log')).toBe('last words\n')
  })
})
