import type { Device, PodManifest, PodRecord, Replica } from '#protocol'
import type { LoadedModel } from '../engines/engine.ts'
import { DEFAULT_PROGRAM_BYTES } from '../sandbox/limits.ts'
import { type Tenant, trustClassOf } from './packing.ts'
import { Slots } from './slots.ts'

/** A model's files, held in the cache until `release`. `path` is null when the engine needs no file. */
export type ResolvedModel = { readonly path: string | null; readonly bytes: number; release(): void }

/** One pod on one device that can hold it, loaded or not. */
export type Entry = {
  readonly pod: PodRecord
  readonly device: Device
  readonly stop: AbortController
  state: Replica['state']
  /** Memory and slots of the device that are promised to it while it loads, is warm or drains. */
  bytes: number
  /** And memory of the machine beside that. */
  hostBytes: number
  granted: number
  slots: Slots
  model: LoadedModel | null
  files: ResolvedModel | null
  loading: Promise<void> | null
  unloading: Promise<void> | null
  unitsPerSecond: number
  reason: string | null
  /** It failed for want of room alone: whatever is unloaded may help. */
  lacksRoom: boolean
  failures: number
  /** How often in a row it was gone by itself soon after it had been loaded. */
  crashes: number
  warmAtMs: number
  cancelRetry: () => void
  toldAtMs: number
  lastUsedMs: number
}

export function newEntry(pod: PodRecord, device: Device, known: { readonly unitsPerSecond: number; readonly nowMs: number }): Entry {
  return {
    pod,
    device,
    stop: new AbortController(),
    state: 'cold',
    bytes: 0,
    hostBytes: 0,
    granted: 0,
    slots: new Slots(0, 0),
    model: null,
    files: null,
    loading: null,
    unloading: null,
    unitsPerSecond: known.unitsPerSecond,
    reason: null,
    lacksRoom: false,
    failures: 0,
    crashes: 0,
    warmAtMs: 0,
    cancelRetry: () => undefined,
    toldAtMs: 0,
    lastUsedMs: known.nowMs,
  }
}

/** Its part of the device; nobody's while it is cold or has failed. The last replica of a pod that is always to be there is not idle. */
export function tenantOf(entry: Entry): Tenant | null {
  const { pod, device, state, bytes, hostBytes, granted: slots, lastUsedMs } = entry
  if (state === 'cold' || state === 'failed') return null
  const mayGo = isIdle(entry) && pod.manifest.spec.scaling.min === 0
  const idleSinceMs = mayGo ? lastUsedMs : null
  return { podId: pod.podId, podName: pod.name, deviceId: device.id, trust: trustClassOf(pod), bytes, hostBytes, slots, idleSinceMs }
}

/** What the router is told of it; `slots` are those that it would have. */
export function factOf({ pod, device, state, model, unitsPerSecond, reason }: Entry, slots: number): Replica {
  return {
    podId: pod.podId,
    manifestHash: pod.manifestHash,
    deviceId: device.id,
    state,
    slots: model?.slots ?? slots,
    unitsPerSecond,
    ...(reason !== null && { reason: reason.slice(0, 300) }),
  }
}

export function isIdle({ state, slots }: Entry): boolean {
  return state === 'warm' && slots.busy === 0
}

/** A model that stayed for this long is sound: that it is gone now says nothing of its next load. */
const STEADY_MS = 600_000

/** It is gone by itself: what loads without fault and falls at once pauses longer each time, like what can not be loaded. */
export function countCrash(entry: Entry, nowMs: number): void {
  if (nowMs - entry.warmAtMs >= STEADY_MS) entry.crashes = 0
  entry.failures = entry.crashes
  entry.crashes += 1
}

/** Part of a device's memory that weights may fill: beside them stand contexts and the runtime. */
const WEIGHTS_SHARE = 0.9

/**
 * What a pod takes of a device's memory: what it asks for, or what its weights need with all that stands beside them, whichever is more.
 * `weightBytes` are those of its file; before that is here, those that the manifest names.
 */
export function bytesOn(device: Device, { spec }: PodManifest, weightBytes: number | undefined): number {
  const { vramBytes, memoryBytes } = spec.resources
  const hostBytes = memoryBytes || (spec.command ? DEFAULT_PROGRAM_BYTES : 0)
  const asked = device.kind !== 'cpu' && vramBytes > 0 ? vramBytes : hostBytes
  return Math.max(asked, Math.ceil((weightBytes ?? spec.model.bytes ?? 0) / WEIGHTS_SHARE))
}

/**
 * What it takes of the machine's memory beside that of its GPU: a program all that its sandbox gives it, a model what its manifest asks for
 * beside its VRAM. On the CPU nothing, since {@link bytesOn} is that.
 */
export function hostBytesOn(device: Device, { spec }: PodManifest): number {
  const { vramBytes, memoryBytes } = spec.resources
  if (device.kind === 'cpu') return 0
  return spec.command ? memoryBytes || DEFAULT_PROGRAM_BYTES : vramBytes > 0 ? memoryBytes : 0
}

/** Who serves a lease: a warm one with a free slot, else one that loads or could, else a full one to wait for, else one that failed. */
export function preference({ state, slots }: Entry): number {
  const isFull = state === 'warm' && slots.free === 0
  return isFull ? 3 : { warm: 0, loading: 1, cold: 2, failed: 4, draining: 5 }[state]
}
