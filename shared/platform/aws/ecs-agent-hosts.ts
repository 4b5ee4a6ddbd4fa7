import {
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  StopTaskCommand,
  UpdateServiceCommand,
  UpdateTaskProtectionCommand,
} from '@aws-sdk/client-ecs'
import type { AgentHosts, HostedInstance } from '../platform.ts'
import { PlatformError } from '../platform-error.ts'
import { translated } from './aws-error.ts'

/** `<cluster>/<service>`. */
const parseSource = (source: string): { cluster: string; service: string } => {
  const [cluster = '', service = '', ...rest] = source.split('/')
  if (!cluster || !service || rest.length > 0)
    throw new PlatformError('INVALID', `${source} is not <cluster>/<service>`)
  return { cluster, service }
}

/** `arn:aws:ecs:<region>:<account>:task/<cluster>/<id>`. */
const clusterOf = (taskArn: string): string => taskArn.split('/').at(-2) ?? ''

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

/** Agents as ECS services: ECS keeps the wanted number of tasks running and restarts what crashed. */
export const createEcsAgentHosts = ({ client = new ECSClient({}) }: { client?: ECSClient } = {}): AgentHosts => {
  const stop = async (task: string, reason: string): Promise<void> => {
    await translated('a stop', () => client.send(new StopTaskCommand({ cluster: clusterOf(task), task, reason })))
  }
  return {
    async scale({ source }, desiredCount) {
      const { cluster, service } = parseSource(source)
      await translated('a scaling', () => client.send(new UpdateServiceCommand({ cluster, service, desiredCount })))
    },
    async instances({ source }) {
      const { cluster, service } = parseSource(source)
      const { taskArns = [] } = await translated('the tasks of a service', () =>
        client.send(new ListTasksCommand({ cluster, serviceName: service })),
      )
      if (taskArns.length === 0) return []
      const { tasks = [] } = await translated('tasks', () =>
        client.send(new DescribeTasksCommand({ cluster, tasks: taskArns })),
      )
      return tasks.map(({ taskArn = '', lastStatus = '', createdAt }) => ({
        id: taskArn,
        state: states[lastStatus] ?? 'STARTING',
        startedAt: createdAt?.getTime() ?? 0,
      }))
    },
    // ECS sends SIGTERM first and waits for the container's stop timeout: a drain, and then an end.
    drain: (id) => stop(id, 'drained by DevCycle'),
    stop: (id) => stop(id, 'stopped by DevCycle'),
    async protect(id, minutes) {
      const protection =
        minutes > 0 ? { protectionEnabled: true, expiresInMinutes: minutes } : { protectionEnabled: false }
      const command = new UpdateTaskProtectionCommand({ cluster: clusterOf(id), tasks: [id], ...protection })
      await translated('a protection', () => client.send(command))
    },
  }
}
