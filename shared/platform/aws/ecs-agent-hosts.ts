import {
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  StopTaskCommand,
  type Task,
  UpdateServiceCommand,
  UpdateTaskProtectionCommand,
} from '@aws-sdk/client-ecs'
import type { AgentHosts, HostedInstance } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { translated } from './aws-error.ts'
import { chunks } from './back-off.ts'

/** `<cluster>/<service>`. */
const parseSource = (source: string): { cluster: string; service: string } => {
  const [cluster, service, ...rest] = source.split('/')
  if (!cluster || !service || rest.length > 0)
    throw new PlatformError('INVALID', `${source} is not <cluster>/<service>`)
  return { cluster, service }
}

/** `arn:aws:ecs:<region>:<account>:task/<cluster>/<id>`. */
const clusterOf = (taskArn: string): string => {
  const [kind, cluster, id] = taskArn.split(':')[5]?.split('/') ?? []
  if (kind !== 'task' || !cluster || !id) throw new PlatformError('INVALID', `${taskArn} is not the ARN of an ECS task`)
  return cluster
}

const states: Record<string, HostedInstance['state']> = {
  PROVISIONING: 'STARTING',
  PENDING: 'STARTING',
  ACTIVATING: 'STARTING',
  RUNNING: 'RUNNING',
  DEACTIVATING: 'DRAINING',
  STOPPING: 'DRAINING',
  DEPROVISIONING: 'DRAINING',
  STOPPED: 'STOPPED',
}

/** A task that was told to stop is on its way out, whatever it still does. */
const toInstance = ({ taskArn = '', lastStatus = '', desiredStatus, createdAt }: Task): HostedInstance => {
  const state = states[lastStatus] ?? 'STARTING'
  return {
    id: taskArn,
    state: desiredStatus === 'STOPPED' && state !== 'STOPPED' ? 'DRAINING' : state,
    startedAt: createdAt?.getTime() ?? 0,
  }
}

const describeSize = 100
/** ECS protects a task for at most two days. */
const mostProtectedMinutes = 2880

/** Agents as ECS services: ECS keeps the wanted number of tasks running and restarts what crashed. */
export const createEcsAgentHosts = ({ client = new ECSClient({}) }: { client?: ECSClient } = {}): AgentHosts => {
  const listTasks = async (cluster: string, serviceName: string, nextToken?: string): Promise<string[]> => {
    const command = new ListTasksCommand({ cluster, serviceName, nextToken })
    const answer = await translated('the tasks of a service', () => client.send(command))
    const arns = answer.taskArns ?? []
    return answer.nextToken ? [...arns, ...(await listTasks(cluster, serviceName, answer.nextToken))] : arns
  }
  const describe = async (cluster: string, tasks: string[]): Promise<HostedInstance[]> => {
    const answer = await translated('tasks', () => client.send(new DescribeTasksCommand({ cluster, tasks })))
    return (answer.tasks ?? []).map(toInstance)
  }
  /** One that has ended already needs no stop. */
  const stop = async (task: string, reason: string): Promise<void> => {
    try {
      const command = new StopTaskCommand({ cluster: clusterOf(task), task, reason })
      await translated('a stop', () => client.send(command))
    } catch (error) {
      if ((error as Error).name !== 'InvalidParameterException') throw error
    }
  }
  return {
    async scale({ source }, desiredCount) {
      const { cluster, service } = parseSource(source)
      await translated('a scaling', () => client.send(new UpdateServiceCommand({ cluster, service, desiredCount })))
    },
    async instances({ source }) {
      const { cluster, service } = parseSource(source)
      const groups = chunks(await listTasks(cluster, service), describeSize)
      return (await Promise.all(groups.map((tasks) => describe(cluster, tasks)))).flat()
    },
    // ECS sends SIGTERM first and waits for the container's stop timeout: a drain, and then an end.
    drain: (id) => stop(id, 'drained by DevCycle'),
    stop: (id) => stop(id, 'stopped by DevCycle'),
    async protect(id, minutes) {
      const wanted = Math.min(Math.ceil(minutes), mostProtectedMinutes)
      const protection =
        wanted > 0 ? { protectionEnabled: true, expiresInMinutes: wanted } : { protectionEnabled: false }
      const command = new UpdateTaskProtectionCommand({ cluster: clusterOf(id), tasks: [id], ...protection })
      const { failures = [] } = await translated('a protection', () => client.send(command))
      if (failures[0]) throw new PlatformError('INVALID', `${id} was not protected: ${failures[0].reason}`)
    },
  }
}
