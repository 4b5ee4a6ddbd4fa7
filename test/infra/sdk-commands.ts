/** Where the action that IAM knows has another name than the command, or is not alone. */
const actionsOfCommand: Record<string, string[]> = {
  TransactWriteItems: ['PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'].map((name) => `dynamodb:${name}`),
  SendMessageBatch: ['sqs:SendMessage'],
  DeleteMessageBatch: ['sqs:DeleteMessage'],
  ChangeMessageVisibilityBatch: ['sqs:ChangeMessageVisibility'],
  CreateQueue: ['sqs:CreateQueue', 'sqs:TagQueue'],
  HeadObject: ['s3:GetObject', 's3:ListBucket'],
  CopyObject: ['s3:GetObject', 's3:PutObject'],
  PostToConnection: ['execute-api:ManageConnections'],
  DeleteConnection: ['execute-api:ManageConnections'],
  CreateStateMachine: ['states:CreateStateMachine', 'states:PublishStateMachineVersion', 'states:TagResource'],
  Invoke: ['lambda:InvokeFunction'],
}
/** How IAM names what the SDK has a client for. */
const services: Record<string, string> = {
  'dynamodb-streams': 'dynamodb',
  eventbridge: 'events',
  sfn: 'states',
}

/** The actions that IAM knows of the commands that a file sends. */
export const commandsOf = (source: string): string[] =>
  [...source.matchAll(/import \{([^}]*)\} from '@aws-sdk\/client-([\w-]+)'/g)].flatMap(([, names = '', client = '']) =>
    [...names.matchAll(/\b(\w+)Command\b/g)].flatMap(
      ([, name = '']) => actionsOfCommand[name] ?? [`${services[client] ?? client}:${name}`],
    ),
  )
