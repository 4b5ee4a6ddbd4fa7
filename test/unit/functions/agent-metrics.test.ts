import { describe, expect, it } from 'vitest'
import { createJsonTelemetry } from '#shared/platform/embedded/json-telemetry.ts'

const aTelemetry = () => {
  const lines: string[] = []
  const telemetry = createJsonTelemetry({ write: (line) => void lines.push(line), now: Date.now })
  return { ...telemetry, warnings: () => lines.map((line) => JSON.parse(line)) }
}
const linesOf = async (text: Promise<string>, start: string): Promise<string[]> =>
  (await text).split('\n').filter((line) => line.startsWith(start))

describe('metrics whose labels agents choose, on one machine', () => {
  it('count without labels from the hundredth series on, and warn of that once', async () => {
    const { metric, metricsText, warnings } = aTelemetry()
    for (let at = 0; at < 150; at++) metric('agent.Files', 1, 'Count', { agent: 'reviewer', file: `${at}` })
    metric('agent.Files', 1, 'Count', { agent: 'reviewer', file: '7' })
    const series = await linesOf(metricsText(), 'devcycle_agent_files_total{')
    expect(series).toHaveLength(101)
    expect(series).toContain('devcycle_agent_files_total{agent="reviewer",file="7"} 2')
    expect(series).toContain('devcycle_agent_files_total{agent="",file=""} 50')
    expect(warnings()).toMatchObject([{ level: 'warn', metric: 'devcycle_agent_files_total' }])
  })

  it('are a thousand names at most, and those that are known go on', async () => {
    const { metric, metricsText, warnings } = aTelemetry()
    for (let at = 0; at < 1100; at++) metric(`agent.n${at}`, 1, 'Count')
    metric('agent.n1', 1, 'Count')
    expect(await linesOf(metricsText(), 'devcycle_agent_n')).toHaveLength(1000)
    expect(await linesOf(metricsText(), 'devcycle_agent_n1_total')).toEqual(['devcycle_agent_n1_total 2'])
    expect(warnings()).toHaveLength(1)
  })
})
