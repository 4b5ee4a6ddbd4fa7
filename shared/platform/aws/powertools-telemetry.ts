import { Logger } from '@aws-lambda-powertools/logger'
import { Metrics, MetricUnit as Unit } from '@aws-lambda-powertools/metrics'
import { Tracer } from '@aws-lambda-powertools/tracer'
import type { MetricUnit, Telemetry } from '../platform.ts'

const units: Record<MetricUnit, (typeof Unit)[keyof typeof Unit]> = {
  Count: Unit.Count,
  Milliseconds: Unit.Milliseconds,
  Seconds: Unit.Seconds,
  Bytes: Unit.Bytes,
  Percent: Unit.Percent,
}

export type PowertoolsTelemetry = Telemetry & { logger: Logger; metrics: Metrics; tracer: Tracer }

/** Powertools behind the port; the three of them for the middleware of the entry files. */
export const createPowertoolsTelemetry = ({
  serviceName,
  namespace,
}: {
  serviceName: string
  namespace: string
}): PowertoolsTelemetry => {
  const logger = new Logger({ serviceName })
  const metrics = new Metrics({ serviceName, namespace })
  const tracer = new Tracer({ serviceName })
  return {
    logger,
    metrics,
    tracer,
    log: (level, message, fields = {}) => logger[level](message, fields),
    metric(name, value, unit, labels = {}) {
      const single = metrics.singleMetric()
      for (const [label, text] of Object.entries(labels)) if (text !== '') single.addDimension(label, text)
      single.addMetric(name, units[unit], value)
    },
    async span(name, attributes, work) {
      const parent = tracer.getSegment()
      if (parent === undefined) return work()
      const segment = parent.addNewSubsegment(name)
      for (const [key, value] of Object.entries(attributes)) segment.addAnnotation(key, value)
      try {
        return await work()
      } catch (error) {
        segment.addError(error instanceof Error ? error : String(error))
        throw error
      } finally {
        segment.close()
      }
    },
    async flush() {
      metrics.publishStoredMetrics()
    },
  }
}
