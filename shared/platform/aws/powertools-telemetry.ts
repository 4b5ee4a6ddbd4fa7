import { Logger } from '@aws-lambda-powertools/logger'
import { Metrics, MetricUnit as Unit } from '@aws-lambda-powertools/metrics'
import { Tracer } from '@aws-lambda-powertools/tracer'
import type { Labels, MetricUnit, Telemetry } from '../platform.ts'

const units: Record<MetricUnit, (typeof Unit)[keyof typeof Unit]> = {
  Count: Unit.Count,
  Milliseconds: Unit.Milliseconds,
  Seconds: Unit.Seconds,
  Bytes: Unit.Bytes,
  Percent: Unit.Percent,
}

/** Labels that metrics are told apart by, beside the service: each set of their values costs, and has to be a small one. */
const dimensions = ['agent', 'status']

export type PowertoolsTelemetry = Telemetry & { logger: Logger; metrics: Metrics; tracer: Tracer }

/** Each metric is written at once, under its own labels: an invocation that ends without any stored is as it should be. */
const quietAboutNone = (logger: Logger) => ({
  debug: (text: string) => logger.debug(text),
  info: (text: string) => logger.info(text),
  warn: (text: string) => (text.startsWith('No application metrics') ? undefined : logger.warn(text)),
  error: (text: string) => logger.error(text),
})

/** Powertools behind the port; the three of them for the middleware of the entry files. */
export const createPowertoolsTelemetry = (options: { serviceName: string; namespace: string }): PowertoolsTelemetry => {
  const { serviceName, namespace } = options
  const logger = new Logger({ serviceName })
  const metrics = new Metrics({ serviceName, namespace, logger: quietAboutNone(logger) })
  const tracer = new Tracer({ serviceName })

  /** Telemetry never throws. */
  const safely = <T>(what: string, act: () => T): T | undefined => {
    try {
      return act()
    } catch (error) {
      logger.debug('telemetry was dropped', { what, reason: String(error) })
      return undefined
    }
  }
  const record = (name: string, value: number, unit: MetricUnit, labels: Labels): void => {
    const single = metrics.singleMetric()
    for (const [label, text] of Object.entries(labels))
      if (dimensions.includes(label) && text !== '') single.addDimension(label, text)
      else if (text !== '') single.addMetadata(`label_${label}`, text) // of the log line alone, and in nothing's way there
    single.addMetric(name, units[unit], value)
  }
  const openSegment = (name: string, attributes: Labels) => {
    const segment = tracer.isTracingEnabled() ? tracer.getSegment()?.addNewSubsegment(name) : undefined
    for (const [key, value] of Object.entries(attributes)) segment?.addAnnotation(key, value)
    return segment
  }
  return {
    logger,
    metrics,
    tracer,
    log: (level, message, fields = {}) => void safely(message, () => logger[level](message, fields)),
    metric: (name, value, unit, labels = {}) => void safely(name, () => record(name, value, unit, labels)),
    async span(name, attributes, work) {
      const segment = safely(name, () => openSegment(name, attributes))
      try {
        return await work()
      } catch (error) {
        safely(name, () => segment?.addError(error instanceof Error ? error : String(error)))
        throw error
      } finally {
        safely(name, () => segment?.close())
      }
    },
    async flush() {
      safely('flush', () => metrics.publishStoredMetrics())
    },
  }
}
