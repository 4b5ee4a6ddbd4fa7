import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import type { EventBridgeEvent, SQSEvent } from 'aws-lambda'
import { attendRecords } from '#functions/sweep/attend-each.ts'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import type { StatusChange } from '#shared/platform/aws/run-ends.ts'
import { takeCommands } from './take-commands.ts'
import { workflowConsumer } from './workflow-consumer.ts'

const platform = createAwsPlatform(process.env)
const { logger, metrics, tracer } = platform.telemetry
const consumer = workflowConsumer(platform)

const isCommands = (event: object): event is SQSEvent => 'Records' in event

/** Commands of steps come by their queue, ends of runs by EventBridge. */
export const handler = middy(async (event: SQSEvent | EventBridgeEvent<string, StatusChange>) => {
  if (isCommands(event)) return attendRecords(event, (bodies) => takeCommands(platform, consumer, bodies))
  const end = await platform.runEndOf(event.detail)
  if (end) await consumer.onEnd(end)
})
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
