import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import type { DynamoDBStreamEvent } from 'aws-lambda'
import { createTeller } from '#shared/domain/realtime/teller.ts'
import { projectRecords, type StreamRecord } from '#shared/platform/aws/change-mapper.ts'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import { project } from './project.ts'

const platform = createAwsPlatform(process.env)
const teller = createTeller(platform)
const { logger, metrics, tracer } = platform.telemetry

export const handler = middy((event: DynamoDBStreamEvent) =>
  projectRecords(event.Records as StreamRecord[], async (changes) => {
    const [failed] = await Promise.all([project(platform, changes), teller.note(changes)])
    return failed
  }),
)
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
