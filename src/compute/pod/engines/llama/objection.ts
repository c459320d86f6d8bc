import { type Device, gpusOf } from '#protocol'

/** What the llama runtime of this process computes on beside the CPU; null: nothing. */
export type LlamaGpu = { readonly backend: string | null; readonly names: readonly string[] }

/** The variables by which a process of the runtime sees the device and no other. Only CUDA names GPUs as `nvidia-smi` does. */
export function visibleDevices(device: Device): Readonly<Record<string, string>> {
  return isNvidia(device) ? { CUDA_VISIBLE_DEVICES: gpusOf(device).join(',') } : {}
}

function isNvidia(device: Device): boolean {
  return gpusOf(device).every(id => id.startsWith('GPU-') || id.startsWith('MIG-'))
}

/**
 * Why a model can not be placed on the device; null when it can. The runtime takes all GPUs that its process sees. With CUDA a process sees the device alone
 * (`visibleDevices`); else a device is served only when it is all GPUs that there are: what is promised on one would be taken from another.
 */
export function llamaObjection(device: Device, gpu: LlamaGpu | null): string | null {
  if (device.kind === 'cpu') return null
  const ids = gpusOf(device)
  if (!gpu?.backend)
    return `the llama runtime of this node computes on the CPU only and not on ${device.id} (for NVIDIA: npm install @node-llama-cpp/linux-x64-cuda)`
  if (gpu.names.length === ids.length || (gpu.backend === 'cuda' && isNvidia(device))) return null
  return `the llama runtime (${gpu.backend}) sees ${gpu.names.length} GPUs, can not be kept to those of ${device.id}, and would take all; with CUDA it could`
}
