import { type Run, runSeed } from './run-seed.ts'

const isSame = (run: Run, wanted: Run): boolean => {
  const column = wanted.findings[0]?.column
  return run.findings.some((finding) => finding.column === column)
}

/** The same failure with fewer steps, found by halving, and with no fault that it does not need. */
export const shrink = async (failed: Run): Promise<Run> => {
  let best = failed
  const attempt = async (change: { steps?: number; plan?: Run['plan'] }): Promise<boolean> => {
    const run = await runSeed(best.seed, {
      steps: best.steps,
      plan: best.fired,
      sabotage: best.world.sabotage,
      ...change,
    })
    if (!isSame(run, failed)) return false
    best = run
    return true
  }
  for (let steps = best.steps >> 1; steps >= 8; steps = Math.min(steps, best.steps) >> 1)
    if (!(await attempt({ steps }))) break
  for (let at = best.fired.length - 1; at >= 0; at--)
    await attempt({ plan: best.fired.filter((_, index) => index !== at) })
  return best
}
