import { formatUnits, type PodRecord } from '#protocol'
import { gatewayError } from '../errors.ts'

/** The pods that can be called, by model name. */
export interface PodCatalog {
  list(): readonly PodRecord[]
  byName(name: string): PodRecord | undefined
}

/** Credits per single unit; prices are kept per million. */
function pricePerUnit(nanoCreditsPerMillion: bigint): string {
  return formatUnits(nanoCreditsPerMillion, 15)
}

/** One pod as OpenAI's `model`, with what users choose by: context, quantisation and price. */
export function modelView(pod: PodRecord) {
  const { spec } = pod.manifest
  return {
    id: pod.name,
    object: 'model',
    created: Math.floor(pod.createdAtMs / 1000),
    owned_by: pod.deployer,
    context_length: spec.model.contextLength,
    quantization: spec.model.quantization,
    runtime: spec.runtime,
    pod_id: pod.podId,
    /** Credits per token. */
    pricing: { prompt: pricePerUnit(spec.price.input), completion: pricePerUnit(spec.price.output), unit: 'credits per token' },
  }
}

/** @throws HeuristError model_not_found */
export function findPod(pods: PodCatalog, model: string): PodRecord {
  const pod = pods.byName(model)
  if (pod) return pod
  const names = pods.list().map(({ name }) => name)
  const known =
    names.length === 0 ? 'No model is deployed yet' : `Models here: ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`
  throw gatewayError('model_not_found', `The model "${model.slice(0, 200)}" does not exist or you do not have access to it. ${known}.`, {
    param: 'model',
  })
}
