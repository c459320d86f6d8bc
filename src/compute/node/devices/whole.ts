import { DEVICE_SLOTS, type Device } from '#protocol'

type Found = { readonly id: string; readonly name: string; readonly memoryBytes: number; readonly computeCapability: number }

/** A GPU as a device, before its owner says how it is offered. */
export function wholeGpu({ id, name, memoryBytes, computeCapability }: Found): Device & { kind: 'gpu' } {
  const whole = { shareBps: 10_000, slots: DEVICE_SLOTS, benchmark: null } as const
  return { kind: 'gpu', id: id.slice(0, 120), name: name.slice(0, 200), memoryBytes, computeCapability, ...whole }
}
