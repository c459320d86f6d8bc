import { type Device, deviceSchema } from '#protocol'
import type { Tenant, Wish } from '../packing.ts'

const GIB = 2 ** 30
export const device = (id: string, gib: number, more: object = {}): Device =>
  deviceSchema.parse({ id, kind: 'gpu', name: id, memoryBytes: gib * GIB, benchmark: null, ...more })
export const slice = (gpu: string, index: number, gib: number) => device(`${gpu}/${index}`, gib, { kind: 'slice', parent: gpu, slots: 16 })
export const mig = (gpu: string, index: number, gib: number) =>
  device(`MIG-${gpu}-${index}`, gib, { kind: 'mig', parent: gpu, profile: '1g' })
export const tenant = (podId: string, deviceId: string, gib: number, more: Partial<Tenant> = {}): Tenant => ({
  podId,
  podName: podId,
  deviceId,
  trust: 'models',
  bytes: gib * GIB,
  hostBytes: 0,
  slots: 4,
  idleSinceMs: null,
  ...more,
})
/** `hostGib` is what it takes of the machine beside a GPU. */
export const wish = (
  podId: string,
  gib: number,
  deviceIds: readonly string[],
  { hostGib = 0, ...more }: Partial<Wish> & { hostGib?: number } = {},
): Wish => ({
  podId,
  podName: podId,
  trust: 'models',
  slots: 4,
  options: deviceIds.map(deviceId => ({ deviceId, bytes: gib * GIB, hostBytes: deviceId === 'cpu' ? 0 : hostGib * GIB })),
  ...more,
})
