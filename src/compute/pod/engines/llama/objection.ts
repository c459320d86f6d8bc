import { type Device, gpusOf } from '#protocol'

/** What the llama runtime of this process computes on beside the CPU; null: nothing. */
export type LlamaGpu = { readonly backend: string | null; readonly names: readonly string[] }

/**
 * Why a model can not be placed on the device; null when it can. The runtime takes all GPUs that its process sees, so a device is served only when
 * it is all of them: else what is promised on one GPU would be taken from another.
 */
export function llamaObjection(device: Device, gpu: LlamaGpu | null): string | null {
  if (device.kind === 'cpu') return null
  const ids = gpusOf(device)
  if (!gpu?.backend)
    return `the llama runtime of this node computes on the CPU only and not on ${device.id} (for NVIDIA: npm install @node-llama-cpp/linux-x64-cuda)`
  if (gpu.names.length === ids.length) return null
  const variable = ids.every(id => id.startsWith('AMD-')) ? 'ROCR_VISIBLE_DEVICES' : `CUDA_VISIBLE_DEVICES=${ids.join(',')}`
  return `the llama runtime sees ${gpu.names.length} GPUs and would take them all for ${device.id}: start a node for it alone, with ${variable}`
}
