import type { Definition } from '#shared/contracts/workflows/definition.ts'
import { placeholders } from '../compile/asl.ts'
import { compile } from '../compile/compile.ts'
import { type Finding, failing } from '../problem.ts'

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const mostBytes = 1024 * 1024
/** What is put in for a placeholder takes so much at most. */
const placeholderBytes = 160

/** What compiles to more than a host takes. */
export const checkMachines = (definition: Definition): Finding[] => {
  const { run, undo } = compile(definition)
  const bytes = Math.max(bytesOf(run), bytesOf(undo))
  const message = `this compiles to ${bytes} bytes, and a workflow may have ${mostBytes}; put parts of it into workflows of their own`
  return bytes > mostBytes ? [failing('TOO_LARGE', ['steps'], message)] : []
}

const bytesOf = (machine: unknown): number => {
  const text = JSON.stringify(machine ?? null)
  const places = Object.values(placeholders).reduce((sum, one) => sum + text.split(one).length - 1, 0)
  return Buffer.byteLength(text) + places * placeholderBytes
}
