import type { Metrics } from '#platform'

export type GatewayMetrics = {
  /** A request to an OpenAI endpoint has ended. `model` is a deployed pod's name or `unknown`: never free text. */
  request(labels: { endpoint: string; model: string; outcome: string }, seconds: number): void
  firstToken(model: string, seconds: number): void
  tokens(model: string, units: { inputUnits: number; outputUnits: number }): void
  refusedConnection(reason: string): void
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]

export function createGatewayMetrics(metrics: Metrics, running: () => number): GatewayMetrics {
  const requests = metrics.counter('heurist_gateway_requests_total', 'Requests answered, by outcome (an error code or "ok").', [
    'endpoint',
    'model',
    'outcome',
  ])
  const durations = metrics.histogram('heurist_gateway_request_duration_seconds', 'From the request to the end of its answer.', {
    labels: ['endpoint', 'model'],
    buckets: SECONDS,
  })
  const firstTokens = metrics.histogram('heurist_gateway_time_to_first_token_seconds', 'From the request to its first output.', {
    labels: ['model'],
    buckets: SECONDS,
  })
  const tokens = metrics.counter('heurist_gateway_tokens_total', 'Tokens of finished jobs.', ['model', 'direction'])
  const refused = metrics.counter('heurist_gateway_refused_connections_total', 'Connections closed for what they sent, or did not send.', [
    'reason',
  ])
  const jobs = metrics.gauge('heurist_gateway_running_jobs', 'Jobs between hold and outcome.')
  const registered = jobs as { collect?: () => void } // cast: prom-client reads this member when it is scraped
  registered.collect = () => jobs.set(running())
  return {
    request({ endpoint, model, outcome }, seconds) {
      requests.inc({ endpoint, model, outcome })
      durations.observe({ endpoint, model }, seconds)
    },
    firstToken: (model, seconds) => firstTokens.observe({ model }, seconds),
    tokens(model, { inputUnits, outputUnits }) {
      tokens.inc({ model, direction: 'input' }, inputUnits)
      tokens.inc({ model, direction: 'output' }, outputUnits)
    },
    refusedConnection: reason => refused.inc({ reason }),
  }
}
