import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import type { SQSEvent } from 'aws-lambda'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import { attendRecords } from './attend-each.ts'
import { everyMinute } from './every-minute.ts'
import { attend } from './sweep.ts'

const platform = createAwsPlatform(process.env)
const { logger, metrics, tracer } = platform.telemetry

const isReminders = (event: object): event is SQSEvent => 'Records' in event

export const handler = middy(async (event: SQSEvent | object) =>
  isReminders(event)
    ? attendRecords(event, (bodies) => attend(platform, bodies))
    : everyMinute(platform, platform.settings.HOSTED_AGENTS),
)
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
