import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasLabels } from '#shared/domain/dispatch/requirements.ts'
import { type Candidate, route, scoreOf, shareOf } from '#shared/domain/dispatch/route.ts'
import { inRange } from '#shared/domain/dispatch/version-range.ts'

const aCandidate = (more: Partial<Candidate> = {}): Candidate => ({
  agent: 'a',
  agentName: 'a',
  version: '1.0.0',
  labels: {},
  instances: [],
  weight: 100,
  slots: 10,
  backlog: 0,
  ...more,
})

const labels = fc.dictionary(fc.constantFrom('zone', 'gpu'), fc.constantFrom('a', 'b'), { maxKeys: 2 })
const someCandidates = fc.array(
  fc
    .record({
      agent: fc.constantFrom('a', 'b', 'c', 'd'),
      version: fc.constantFrom('1.0.0', '1.2.0', '2.0.0'),
      resourceClass: fc.option(fc.constantFrom('small', 'large'), { nil: undefined }),
      labels,
      instances: fc.array(labels, { maxLength: 2 }),
      weight: fc.constantFrom(0, 10, 90, 100),
      slots: fc.nat(20),
      backlog: fc.nat(100),
      performance: fc.option(
        fc.record({ success: fc.double({ min: 0, max: 1, noNaN: true }), latencyMs: fc.nat(10_000) }),
        { nil: undefined },
      ),
    })
    .map((one): Candidate => ({ ...one, agentName: one.agent })),
  { maxLength: 8 },
)
const requirements = fc.option(
  fc.record(
    {
      labels,
      resourceClass: fc.constantFrom('small', 'large'),
      version: fc.constantFrom('>=1.0.0 <2.0.0-0', '2.0.0', '*'),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
)
const ticket = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('routing', () => {
  it('never chooses one that does not meet a requirement, and always chooses where one does', () => {
    fc.assert(
      fc.property(someCandidates, requirements, fc.string(), ticket, (candidates, wanted, root, random) => {
        const meets = (one: Candidate): boolean =>
          (wanted?.version === undefined || inRange(one.version, wanted.version)) &&
          (wanted?.resourceClass === undefined || one.resourceClass === wanted.resourceClass) &&
          (hasLabels(wanted?.labels, one.labels) ||
            one.instances.some((own) => hasLabels(wanted?.labels, one.labels, own)))
        const { chosen, scored, unmet } = route(candidates, { requirements: wanted, root }, random)
        const able = candidates.filter(meets)
        expect(chosen === undefined || able.includes(chosen)).toBe(true)
        expect(chosen === undefined).toBe(able.every(({ weight }) => weight === 0))
        expect(chosen?.weight).not.toBe(0)
        expect(unmet).toHaveLength(candidates.length - able.length)
        expect(scored.length).toBeLessThanOrEqual(5)
        for (const [at, { score }] of scored.slice(1).entries())
          expect(score).toBeLessThanOrEqual(scored[at]?.score ?? 0)
        for (const { score } of scored) expect(score >= 0 && score <= 1.2).toBe(true)
      }),
    )
  })

  it('takes the one with the best score; equals share', () => {
    const [idle, busy] = [aCandidate({ agent: 'idle' }), aCandidate({ agent: 'busy', backlog: 30 })]
    for (const random of [0, 0.5, 0.99]) expect(route([busy, idle], { root: 'x' }, random).chosen).toBe(idle)
    const other = aCandidate({ agent: 'other' })
    const chosen = [0, 0.6].map((random) => route([idle, other], { root: 'x' }, random).chosen)
    expect(new Set(chosen).size).toBe(2)
  })

  it('sends all tasks of a tree to one version, and of many trees the share of each weight', () => {
    const versions = [aCandidate({ weight: 10 }), aCandidate({ version: '2.0.0', weight: 90 })]
    const of = (root: string) => route(versions, { root }, Math.random()).chosen?.version
    const roots = Array.from({ length: 4000 }, (_, at) => `tsk_${at.toString(36).padStart(26, '0')}`)
    for (const root of roots.slice(0, 50)) expect(new Set(Array.from({ length: 5 }, () => of(root))).size).toBe(1)
    const share = roots.filter((root) => of(root) === '1.0.0').length / roots.length
    expect(share).toBeGreaterThan(0.08)
    expect(share).toBeLessThan(0.12)
  })

  it('spreads texts evenly', () => {
    const shares = Array.from({ length: 10_000 }, (_, at) => shareOf(`tsk_${at}`))
    const buckets = Map.groupBy(shares, (share) => Math.floor(share * 10))
    expect(buckets.size).toBe(10)
    for (const { length } of buckets.values()) expect(Math.abs(length - 1000)).toBeLessThan(150)
  })
})

describe('a score', () => {
  const score = (more: Partial<Candidate>, wanted = {}) => scoreOf(aCandidate(more), { quickestMs: 100, ...wanted })

  it('never grows with work, failures or slowness, nor falls with slots', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.nat(100), fc.nat(100), (slots, moreSlots, backlog, moreWork) => {
        expect(score({ slots, backlog: backlog + moreWork })).toBeLessThanOrEqual(score({ slots, backlog }))
        if (slots > 0)
          expect(score({ slots: slots + moreSlots, backlog })).toBeGreaterThanOrEqual(score({ slots, backlog }))
      }),
    )
    const performance = { success: 0.9, latencyMs: 100 }
    expect(score({ performance: { ...performance, success: 0.5 } })).toBeLessThan(score({ performance }))
    expect(score({ performance: { ...performance, latencyMs: 900 } })).toBeLessThan(score({ performance }))
  })

  it('prefers labels that it has in common with the task, and takes nobody out for good', () => {
    const labels = { team: 'red' }
    expect(score({ labels }, { labels })).toBeGreaterThan(score({}, { labels }))
    const failing = score({ performance: { success: 0, latencyMs: 0 } })
    expect(failing).toBeGreaterThan(0)
    expect(score({ backlog: 10_000 })).toBeLessThan(failing)
  })
})
