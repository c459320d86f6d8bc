import type { ApiKeyRecord } from '#platform'
import { formatUnits, jsonText, NANO_CREDITS_PER_CREDIT, type NodeView, type PodRecord } from '#protocol'

/** JSON-ready copy of a value: bigints become decimal strings. */
export function toJson(value: unknown): unknown {
  return JSON.parse(jsonText(value))
}

/** Nano-credits as a decimal number of credits, e.g. "12.5". */
export function creditsText(nanoCredits: bigint): string {
  return formatUnits(nanoCredits, NANO_CREDITS_PER_CREDIT.toString().length - 1)
}

/** A key without its hash; the secret itself is nowhere. */
export function keyView(key: ApiKeyRecord): Record<string, unknown> {
  const { secretHash: _hidden, budget, spent, ...rest } = key
  return { ...rest, budgetCredits: budget === null ? null : creditsText(budget), spentCredits: creditsText(spent) }
}

type Capacity = { readonly warm: number; readonly loading: number; readonly replicas: number; readonly freeSlots: number }

/** Replicas that the autoscaler wants; `ceiling` is what votes allow, null where they bound nothing. */
export type PodScaleView = { readonly desired: number; readonly ceiling: number | null; readonly reasons: readonly string[] }

export function podView(pod: PodRecord, capacity: Capacity, scale: PodScaleView | null): Record<string, unknown> {
  const { price, model, engine, runtime } = pod.manifest.spec
  return {
    podId: pod.podId,
    name: pod.name,
    deployer: pod.deployer,
    version: pod.version,
    manifestHash: pod.manifestHash,
    description: pod.manifest.metadata.description,
    runtime,
    engine: engine.name,
    model: {
      id: model.id,
      source: model.source.replace(/^file:.*\//, 'file:…/'),
      quantization: model.quantization,
      contextLength: model.contextLength,
    },
    priceCreditsPerMillion: { input: creditsText(price.input), output: creditsText(price.output) },
    ...capacity,
    scale: scale && { desired: scale.desired, ceiling: scale.ceiling, reasons: scale.reasons },
  }
}

export function nodeView(node: NodeView): unknown {
  return toJson(node)
}
