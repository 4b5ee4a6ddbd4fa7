import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware'
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware'
import middy from '@middy/core'
import { handle } from 'hono/aws-lambda'
import { createAwsPlatform } from '#shared/platform/aws/create-aws-platform.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { createApi } from './app.ts'

/** API Gateway ends a request after 29 s. */
const settings = { version: packageJson.version, streamSeconds: 20, holdSeconds: 20 }
const platform = createAwsPlatform(process.env)
const { logger, metrics, tracer } = platform.telemetry

/** Everything the app answers is text; API Gateway would hand event streams out in base64 otherwise. */
const isContentTypeBinary = () => false

export const handler = middy(handle(createApi({ platform, settings }), { isContentTypeBinary }))
  .use(captureLambdaHandler(tracer, { captureResponse: false }))
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
