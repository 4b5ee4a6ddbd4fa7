import { stamp } from '../../caller.ts'
import { publish } from '../../topics/publish.ts'
import { callerOfRun, type Run } from '../run.ts'
import type { Asked, Begun, StepPorts } from './step-command.ts'

/** Puts a message of the run on a topic; the same step again is the same message. */
export const sendMessage = async (ports: StepPorts, run: Run, { id, step }: Asked): Promise<Begun> => {
  const topic = String(step.topic)
  const envelope = {
    id: `${run.id}.${id}`,
    source: `devcycle.workflow.${run.workflow}`,
    type: topic,
    subject: run.id,
    time: run.startedAt,
  }
  const message = { topic, envelope, data: step.body ?? null }
  await publish(ports, run.tenant, message, stamp(callerOfRun(run), 'run.message'))
  return { output: null }
}
