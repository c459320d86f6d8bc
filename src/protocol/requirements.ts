import type { Device, NodeFacts } from './node.ts'
import type { PodManifest } from './pod.ts'
import { formatUnits, maxOf } from './units.ts'

/**
 * "Job fits node" in its one place (law R1): the router filters with it and the node double-checks with it.
 * Returns every reason why `device` can not hold the pod; an empty list means that it fits.
 */
export function unmetRequirements(manifest: PodManifest, device: Device): string[] {
  const { resources } = manifest.spec
  const isGpu = device.kind !== 'cpu'
  const reasons: string[] = []
  if (resources.gpuCount > 0 && !isGpu) reasons.push(`needs ${resources.gpuCount} GPU, device ${device.id} is a CPU`)
  if (resources.gpuCount > 1) {
    const gpus = device.kind === 'group' ? device.members.length : 1
    if (gpus < resources.gpuCount) reasons.push(`needs a group of ${resources.gpuCount} GPUs, device ${device.id} has ${gpus}`)
  } else if (device.kind === 'group') {
    reasons.push(`needs one device, ${device.id} is a group for pods of several GPUs`)
  }
  if (isGpu && device.memoryBytes < resources.vramBytes) {
    reasons.push(`needs ${resources.vramBytes} bytes of VRAM, device ${device.id} has ${device.memoryBytes}`)
  }
  if (!isGpu && device.memoryBytes < resources.memoryBytes) {
    reasons.push(`needs ${resources.memoryBytes} bytes of memory, device ${device.id} has ${device.memoryBytes}`)
  }
  if (isGpu && device.computeCapability < resources.minComputeCapability) {
    reasons.push(`needs compute capability ${resources.minComputeCapability}, device ${device.id} has ${device.computeCapability}`)
  }
  if (resources.fractional === 'forbidden' && isFraction(device)) reasons.push('needs a whole device')
  if (resources.fractional === 'mig' && device.kind === 'slice') reasons.push('needs memory isolation (MIG), a time slice has none')
  const { minNanoCredits } = device
  if (minNanoCredits !== undefined && priceOf(manifest) < BigInt(minNanoCredits)) {
    reasons.push(`pays ${credits(priceOf(manifest))} credits per 1M units, device ${device.id} asks for ${credits(BigInt(minNanoCredits))}`)
  }
  return reasons
}

/** What a pod's units bring at best: an encoder is paid for its input, a model for its output. */
function priceOf({ spec }: PodManifest): bigint {
  return maxOf(spec.price.input, spec.price.output)
}

function credits(nanoCredits: bigint): string {
  return formatUnits(nanoCredits, 9)
}

function isFraction({ kind, shareBps }: Device): boolean {
  return kind === 'mig' || kind === 'slice' || shareBps < 10_000
}

/** Devices of a node that can hold the pod. */
export function fittingDevices(manifest: PodManifest, facts: NodeFacts): Device[] {
  return facts.devices.filter(device => unmetRequirements(manifest, device).length === 0)
}
