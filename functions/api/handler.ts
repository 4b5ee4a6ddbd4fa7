import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { createApi } from './app.ts'
import { boundedAnswer } from './bounded-answer.ts'

/** API Gateway ends a request after 29 s. */
const settings = { version: packageJson.version, streamSeconds: 20, holdSeconds: 20 }
const platform = createAwsPlatform(process.env)
const { logger, metrics, tracer } = platform.telemetry

/** Everything the app answers is text; API Gateway would hand event streams out in base64 otherwise. */
const isContentTypeBinary = () => false

const answer = handle(createApi({ platform, settings }), { isContentTypeBinary })

export const handler = middy(async (event: LambdaEvent, context: LambdaContext) =>
  boundedAnswer(await answer(event, context)),
)
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
