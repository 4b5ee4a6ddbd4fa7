import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import { everyMinute } from './every-minute.ts'
import { attend } from './sweep.ts'

const platform = createAwsPlatform(process.env)
const { logger, metrics, tracer } = platform.telemetry

const isReminders = (event: object): event is SQSEvent => 'Records' in event

const attendReminders = async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
  const failed = new Set(
    await attend(
      platform,
      Records.map(({ body }) => body),
    ),
  )
  const late = Records.filter(({ body }) => failed.has(body))
  return { batchItemFailures: late.map(({ messageId }) => ({ itemIdentifier: messageId })) }
}

export const handler = middy(async (event: SQSEvent | object) =>
  isReminders(event) ? attendReminders(event) : everyMinute(platform, platform.settings.HOSTED_AGENTS),
)
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
