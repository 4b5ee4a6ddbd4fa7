import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import type { SQSEvent } from 'aws-lambda'
import { attendRecords } from '#functions/sweep/attend-each.ts'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import { deliver } from './deliver.ts'

const platform = createAwsPlatform(process.env)
const { logger, metrics, tracer } = platform.telemetry

export const handler = middy((event: SQSEvent) => attendRecords(event, (bodies) => deliver(platform, bodies)))
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
