/** Kinds of resources that IAM tells apart. */
export type ResourceKind =
  | 'table'
  | 'index'
  | 'stream'
  | 'queue'
  | 'object'
  | 'bucket'
  | 'bus'
  | 'connection'
  | 'machine'
  | 'execution'
  | 'function'
  | 'service'
  | 'task'
  | 'anything'

/** What goes together: operations of ports, and what their adapters need at AWS, by the kind of resource. */
export type PortPermission = {
  operations: readonly string[]
  actions: Readonly<Partial<Record<ResourceKind, readonly string[]>>>
}

/**
 * The one list of what the adapters of this folder do at AWS. The stacks give functions their permissions by it; tests
 * compare it with the commands that the adapters send, and with the operations that the code of each function comes to.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export const portPermissions = {
  records: {
    operations: ['get', 'getMany', 'write', 'transact', 'query', 'queryKeys', 'add', 'waitForChange'].map(
      (name) => `Table.${name}`,
    ),
    actions: {
      table: [
        'dynamodb:GetItem',
        'dynamodb:BatchGetItem',
        'dynamodb:Query',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
        'dynamodb:ConditionCheckItem',
      ],
      index: ['dynamodb:Query'],
    },
  },
  scan: { operations: ['Table.scan'], actions: { table: ['dynamodb:Scan'] } },
  /** Lambda reads the stream for functions; this is the loop that does so by itself. */
  feed: {
    operations: ['ChangeFeed.consume'],
    actions: {
      table: ['dynamodb:DescribeTable'],
      stream: ['dynamodb:DescribeStream', 'dynamodb:GetShardIterator', 'dynamodb:GetRecords'],
    },
  },
  /** A queue that was not made yet is made by its first use. */
  dispatch: {
    operations: ['Queues.ensure', 'Queues.send', 'Queues.locate', 'Queues.depth', 'Queues.ahead'],
    actions: {
      queue: ['sqs:CreateQueue', 'sqs:TagQueue', 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes', 'sqs:SendMessage'],
    },
  },
  receive: {
    operations: ['Queues.receive', 'Queues.delete', 'Queues.release'],
    actions: { queue: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'] },
  },
  /** Without listing, an object that is missing is told as one that is forbidden. */
  objects: {
    operations: ['put', 'get', 'stat', 'delete', 'presignPut', 'presignGet'].map((name) => `Objects.${name}`),
    actions: {
      object: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
      bucket: ['s3:ListBucket'],
    },
  },
  publish: { operations: ['EventBus.publish'], actions: { bus: ['events:PutEvents'] } },
  push: {
    operations: ['Realtime.push', 'Realtime.close'],
    actions: { connection: ['execute-api:ManageConnections'] },
  },
  /** Of runs that were started under an alias too: IAM knows a version and an alias by their machine. */
  runs: {
    operations: ['Workflows.start', 'Workflows.stop', 'Workflows.describe', 'Workflows.redrive'],
    actions: {
      machine: ['states:StartExecution'],
      execution: ['states:StopExecution', 'states:DescribeExecution', 'states:RedriveExecution'],
    },
  },
  histories: {
    operations: ['Workflows.history', 'Workflows.eventsAfter'],
    actions: { execution: ['states:GetExecutionHistory'] },
  },
  answers: {
    operations: ['Workflows.succeed', 'Workflows.fail', 'Workflows.heartbeat'],
    actions: { machine: ['states:SendTaskSuccess', 'states:SendTaskFailure', 'states:SendTaskHeartbeat'] },
  },
  /** Has it done by the one function that may; sees by itself whether it was. */
  deploy: {
    operations: ['Workflows.deploy'],
    actions: { machine: ['states:DescribeStateMachineAlias'], function: ['lambda:InvokeFunction'] },
  },
  scale: {
    operations: ['AgentHosts.scale', 'AgentHosts.instances'],
    actions: { service: ['ecs:UpdateService'], task: ['ecs:DescribeTasks'], anything: ['ecs:ListTasks'] },
  },
  halt: {
    operations: ['AgentHosts.drain', 'AgentHosts.stop', 'AgentHosts.protect'],
    actions: { task: ['ecs:StopTask', 'ecs:UpdateTaskProtection'] },
  },
} as const satisfies Record<string, PortPermission>

/** What is done at AWS beside the ports: by the function that makes machines, and by the one that hears of their ends. */
export const ownPermissions = {
  machines: {
    machine: [
      'states:CreateStateMachine',
      'states:UpdateStateMachine',
      'states:PublishStateMachineVersion',
      'states:TagResource',
      'states:CreateStateMachineAlias',
      'states:DescribeStateMachineAlias',
      'states:ListStateMachineAliases',
      'states:DeleteStateMachineAlias',
      'states:ListStateMachineVersions',
      'states:DeleteStateMachineVersion',
    ],
  },
  runEnds: { machine: ['states:ListTagsForResource'] },
} as const satisfies Record<string, PortPermission['actions']>
