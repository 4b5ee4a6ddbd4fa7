import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import type { EventBridgeEvent } from 'aws-lambda'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import { submitType, takeIn } from './take-in.ts'
import { takeMessage } from './take-message.ts'

const platform = createAwsPlatform(process.env)
const { logger, metrics, tracer } = platform.telemetry

export const handler = middy(
  async (event: EventBridgeEvent<string, unknown>): Promise<object | undefined> =>
    event['detail-type'] === submitType ? takeIn(platform, event) : takeMessage(platform, event),
)
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
