import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import type { EventBridgeEvent } from 'aws-lambda'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import { takeIn } from './take-in.ts'

const platform = createAwsPlatform(process.env)
const { logger, metrics, tracer } = platform.telemetry

export const handler = middy((event: EventBridgeEvent<string, unknown>) => takeIn(platform, event))
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
