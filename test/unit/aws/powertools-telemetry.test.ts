import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPowertoolsTelemetry } from '#shared/platform/aws/powertools-telemetry.ts'

const lines: string[] = []
const write = (text: unknown): void => void lines.push(String(text))

beforeEach(() => {
  vi.stubEnv('POWERTOOLS_DEV', 'true')
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false')
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, method).mockImplementation(write)
  lines.length = 0
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const telemetry = () => createPowertoolsTelemetry({ serviceName: 'devcycle', namespace: 'DevCycle' })
const written = (): Record<string, unknown>[] => lines.map((line) => JSON.parse(line))

describe('telemetry on AWS', () => {
  it('writes log lines with their fields', () => {
    telemetry().log('warn', 'something', { task: 'tsk_1' })
    expect(written()).toMatchObject([{ level: 'WARN', message: 'something', service: 'devcycle', task: 'tsk_1' }])
  })

  it('writes each metric under its own labels, leaving out empty ones', () => {
    const { metric } = telemetry()
    metric('QueueWait', 12, 'Milliseconds', { agent: 'reviewer', none: '' })
    metric('TasksSubmitted', 1, 'Count')
    const [wait, submitted] = written()
    expect(wait).toMatchObject({ agent: 'reviewer', QueueWait: 12 })
    expect(wait).toMatchObject({
      _aws: { CloudWatchMetrics: [{ Namespace: 'DevCycle', Metrics: [{ Name: 'QueueWait', Unit: 'Milliseconds' }] }] },
    })
    expect(wait).not.toHaveProperty('none')
    expect(submitted).not.toHaveProperty('agent')
  })

  it('makes no metric of labels that an agent chose, and keeps them in the log line', () => {
    const { metric } = telemetry()
    metric('agent.Files', 3, 'Count', {
      agent: 'reviewer',
      status: 'OK',
      file: 'a.ts',
      service: 'x',
      'agent.Files': 'y',
    })
    const [line] = written()
    expect(line).toMatchObject({
      _aws: { CloudWatchMetrics: [{ Dimensions: [['service', 'agent', 'status']] }] },
      service: 'devcycle',
      'agent.Files': 3,
      label_file: 'a.ts',
      label_service: 'x',
    })
  })

  it('never throws, whatever it is given', () => {
    const { log, metric } = telemetry()
    const circular: Record<string, unknown> = {}
    circular.self = circular
    log('info', 'circular', circular)
    log('error', 'odd', {
      get broken(): never {
        throw new Error('getter')
      },
    })
    metric('', Number.NaN, 'Count', { a: 'b' })
    metric('Dimensions', 1, 'Count', Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`d${at}`, 'x'])))
  })

  it('says nothing when there is nothing to flush', async () => {
    await telemetry().flush()
    expect(lines).toEqual([])
  })

  it('gives back what the work in a span gives, and its failure', async () => {
    for (const traced of ['false', 'true']) {
      vi.stubEnv('POWERTOOLS_TRACE_ENABLED', traced)
      const { span } = telemetry()
      expect(await span('work', { a: 'b' }, async () => 7)).toBe(7)
      await expect(span('work', {}, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    }
  })
})
