import { type BackoffOptions, type Clock, fullJitterMs, type Logger, type Random } from '#platform'
import {
  type Bytes32,
  type Device,
  type EngineName,
  HeuristError,
  messageOf,
  type PodManifest,
  type PodRecord,
  type Replica,
  type ReplicaAction,
  unmetRequirements,
} from '#protocol'
import type { Engine, LoadedModel } from '../engines/engine.ts'
import type { OnProgress, Progress } from './download.ts'
import { Slots } from './slots.ts'

/**
 * - `NODE_POD_FORBIDDEN`: the node's owner does not allow the pod
 * - `NODE_UNMET_REQUIREMENTS`: no device of the node can hold the pod (law R1, checked again here)
 * - `NODE_ENGINE_MISSING`: this node has no engine of the pod's kind
 * - `NODE_LOAD_FAILED`: the pod could not be loaded; the message says why
 */
export type ReplicaErrorCode = 'NODE_POD_FORBIDDEN' | 'NODE_UNMET_REQUIREMENTS' | 'NODE_ENGINE_MISSING' | 'NODE_LOAD_FAILED'

/** A model's files, held in the cache until `release`. `path` is null when the engine needs no file. */
export type ResolvedModel = { readonly path: string | null; readonly bytes: number; release(): void }

export type ReplicaOptions = {
  /** Requests at once that the owner allows for one replica; an engine may give fewer. */
  readonly slots: (manifest: PodManifest) => number
  readonly maxWaitingPerReplica?: number
  readonly backoff?: BackoffOptions
}
export type ReplicaDependencies = {
  readonly devices: () => readonly Device[]
  readonly engines: Readonly<Partial<Record<EngineName, Engine>>>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Why the owner does not allow the pod; null when he does. */
  objection(pod: PodRecord): string | null
  resolveModel(manifest: PodManifest, options: { signal: AbortSignal; onProgress: OnProgress }): Promise<ResolvedModel>
  /** Speed of the same pod version on the same device from an earlier start, or null. */
  knownSpeed(pod: PodRecord, device: Device): number | null
  saveSpeed(pod: PodRecord, device: Device, unitsPerSecond: number): void
  changed(): void
}

/** A pod that is loaded on one device. */
export type LoadedReplica = {
  readonly deviceId: string
  readonly model: LoadedModel
  /** Resolves with the function that frees the slot; null when too many wait already. */
  claim(signal: AbortSignal): Promise<(() => void) | null>
}

type Entry = {
  readonly pod: PodRecord
  readonly device: Device
  readonly isEager: boolean
  readonly stop: AbortController
  state: Replica['state']
  slots: Slots
  model: LoadedModel | null
  files: ResolvedModel | null
  loading: Promise<void> | null
  unitsPerSecond: number
  reason: string | null
  failures: number
  toldAtMs: number
  lastUsedMs: number
}

const DEFAULT_BACKOFF: BackoffOptions = { baseMs: 2000, maxMs: 300_000 }
const DEFAULT_MAX_WAITING = 64
/** Facts carry at most this many replicas (protocol/node.ts). */
const MAX_FACTS = 256
/** Part of a device's memory that models may fill; the rest is for contexts and the runtime. */
const MODEL_MEMORY_SHARE = 0.9
const TELL_INTERVAL_MS = 1000

/**
 * Every pod on every device of a node: cold -> loading -> warm -> draining -> gone. Pods with `scaling.min` ≥ 1 are loaded at once on
 * the first device that fits, others at their first lease. A failed load is tried again after a growing pause, and its reason is shown.
 */
export class Replicas {
  readonly #options: ReplicaOptions
  readonly #deps: ReplicaDependencies
  readonly #pods = new Map<Bytes32, PodRecord>()
  readonly #entries = new Map<string, Entry>()
  readonly #draining = new Set<Entry>()
  /** Engines load one after another: two at once fight for the same cores and both measure wrongly. */
  #loadQueue: Promise<unknown> = Promise.resolve()
  #isStopped = false

  constructor(options: ReplicaOptions, dependencies: ReplicaDependencies) {
    this.#options = options
    this.#deps = dependencies
  }

  pod(podId: Bytes32): PodRecord | undefined {
    return this.#pods.get(podId)
  }

  pods(): PodRecord[] {
    return [...this.#pods.values()]
  }

  /** Why this node can not serve the pod; null when it can. */
  objection(pod: PodRecord): HeuristError<ReplicaErrorCode> | null {
    const forbidden = this.#deps.objection(pod)
    if (forbidden !== null) return refusal('NODE_POD_FORBIDDEN', forbidden)
    if (!this.#deps.engines[pod.manifest.spec.engine.name]) {
      return refusal('NODE_ENGINE_MISSING', `This node has no engine "${pod.manifest.spec.engine.name}".`)
    }
    const reasons = this.#deps.devices().map(device => unmetRequirements(pod.manifest, device))
    if (reasons.some(list => list.length === 0)) return null
    return refusal('NODE_UNMET_REQUIREMENTS', `No device of this node can hold ${pod.name}: ${reasons.flat().join('; ')}.`)
  }

  /** The pods that exist now. New versions replace old ones; what is gone is drained and unloaded. */
  setPods(pods: readonly PodRecord[]): void {
    this.#pods.clear()
    for (const pod of pods) this.#pods.set(pod.podId, pod)
    for (const [key, entry] of this.#entries) {
      if (this.#pods.get(entry.pod.podId)?.manifestHash === entry.pod.manifestHash) continue
      this.#entries.delete(key)
      this.#retire(entry)
    }
    if (this.#isStopped) return
    for (const pod of pods) if (this.objection(pod) === null) this.#host(pod)
    this.#deps.changed()
  }

  facts(): Replica[] {
    return [...this.#entries.values(), ...this.#draining].slice(0, MAX_FACTS).map(entry => ({
      podId: entry.pod.podId,
      manifestHash: entry.pod.manifestHash,
      deviceId: entry.device.id,
      state: entry.state,
      slots: entry.model?.slots ?? this.#options.slots(entry.pod.manifest),
      unitsPerSecond: entry.unitsPerSecond,
      ...(entry.reason !== null && { reason: entry.reason.slice(0, 300) }),
    }))
  }

  /**
   * The pod, loaded. `onLoading` is called when the caller has to wait for it. Aborting `signal` ends the wait, not the load:
   * another lease may need it. @throws HeuristError with a {@link ReplicaErrorCode}
   */
  async ready(pod: PodRecord, options: { signal: AbortSignal; onLoading(): void }): Promise<LoadedReplica> {
    const objection = this.objection(pod)
    if (objection) throw objection
    const entry = this.#choose(pod)
    if (entry.state !== 'warm') {
      if (entry.state === 'failed') throw loadFailure(pod, entry.reason)
      options.onLoading()
      await abortable(this.#load(entry), options.signal)
    }
    const { model, slots } = entry
    if (entry.state !== 'warm' || !model) throw loadFailure(pod, entry.reason)
    return { deviceId: entry.device.id, model, claim: signal => this.#claim(entry, slots, signal) }
  }

  /**
   * What the router's autoscaler wishes: one more replica, on the first device that has a cold one, or one fewer, if one is idle.
   * A pod that the node does not hold, or has no device left for, is no fault: the facts tell.
   */
  scale(podId: Bytes32, action: ReplicaAction): void {
    const own = [...this.#entries.values()].filter(({ pod }) => pod.podId === podId)
    if (this.#isStopped || own.length === 0) return
    if (action === 'load') {
      const cold = own.find(({ state }) => state === 'cold')
      if (cold) void this.#load(cold)
      return
    }
    const idle = own.filter(({ state, slots }) => state === 'warm' && slots.busy === 0).sort((a, b) => a.lastUsedMs - b.lastUsedMs)[0]
    if (idle) void this.#evict(idle, 'the autoscaler')
  }

  /** Unloads everything. Leases must be over. */
  async stop(): Promise<void> {
    this.#isStopped = true
    const entries = [...this.#entries.values(), ...this.#draining]
    this.#entries.clear()
    for (const entry of entries) entry.stop.abort(new Error('The node is stopping.'))
    await Promise.all(entries.map(entry => entry.loading))
    await Promise.all(entries.map(entry => this.#unload(entry)))
  }

  #host(pod: PodRecord): void {
    const devices = this.#deps.devices().filter(device => unmetRequirements(pod.manifest, device).length === 0)
    for (const [index, device] of devices.entries()) {
      const key = `${pod.podId} ${device.id}`
      if (this.#entries.has(key)) continue
      const entry = this.#newEntry(pod, device, index === 0 && pod.manifest.spec.scaling.min > 0)
      this.#entries.set(key, entry)
      if (entry.isEager) void this.#load(entry)
    }
  }

  #newEntry(pod: PodRecord, device: Device, isEager: boolean): Entry {
    return {
      pod,
      device,
      isEager,
      stop: new AbortController(),
      state: 'cold',
      slots: new Slots(0, 0),
      model: null,
      files: null,
      loading: null,
      unitsPerSecond: this.#deps.knownSpeed(pod, device) ?? 0,
      reason: null,
      failures: 0,
      toldAtMs: 0,
      lastUsedMs: this.#deps.clock.now(),
    }
  }

  /** Warm with a free slot, else one that loads or could, else a full one to wait for; a failed one only when there is no other. */
  #choose(pod: PodRecord): Entry {
    const [first] = [...this.#entries.values()]
      .filter(entry => entry.pod.podId === pod.podId)
      .sort((a, b) => preference(a) - preference(b) || b.slots.free - a.slots.free)
    if (!first) throw loadFailure(pod, 'the pod was removed')
    return first
  }

  async #claim(entry: Entry, slots: Slots, signal: AbortSignal): Promise<(() => void) | null> {
    const release = await slots.claim(signal)
    entry.lastUsedMs = this.#deps.clock.now()
    return (
      release &&
      (() => {
        release()
        entry.lastUsedMs = this.#deps.clock.now()
        if (entry.state === 'draining' && slots.busy === 0) void this.#unload(entry)
      })
    )
  }

  /** Never rejects; the outcome is the entry's state. */
  #load(entry: Entry): Promise<void> {
    entry.loading ??= this.#runLoad(entry).finally(() => {
      entry.loading = null
      this.#deps.changed()
    })
    return entry.loading
  }

  async #runLoad(entry: Entry): Promise<void> {
    const { pod, device, stop } = entry
    entry.state = 'loading'
    entry.reason = null
    this.#deps.changed()
    try {
      const onProgress = (progress: Progress) => this.#tell(entry, `pulling ${describeProgress(progress)}`)
      entry.files = await this.#deps.resolveModel(pod.manifest, { signal: stop.signal, onProgress })
      const turn = this.#loadQueue.then(() => this.#loadEngine(entry))
      this.#loadQueue = turn.catch(() => undefined)
      await turn
      entry.failures = 0
      entry.reason = null
      // A pod that was removed while it loaded stays draining; retire() unloads it.
      if (!this.#draining.has(entry)) entry.state = 'warm'
      this.#deps.logger.info({ pod: pod.name, device: device.id, unitsPerSecond: Math.round(entry.unitsPerSecond) }, 'pod is warm')
    } catch (error) {
      this.#failed(entry, messageOf(error))
    }
  }

  async #loadEngine(entry: Entry): Promise<void> {
    const { pod, device, stop, files } = entry
    stop.signal.throwIfAborted()
    await this.#makeRoom(entry)
    const engine = this.#deps.engines[pod.manifest.spec.engine.name]
    if (!engine) throw new Error(`This node has no engine "${pod.manifest.spec.engine.name}".`)
    const slots = this.#options.slots(pod.manifest)
    const spec = { podId: pod.podId, manifest: pod.manifest, modelPath: files?.path ?? null, device, slots, signal: stop.signal }
    const model = await engine.load(spec, fraction => this.#tell(entry, `loading ${Math.floor(fraction * 100)} %`))
    entry.model = model
    entry.slots = new Slots(model.slots, this.#options.maxWaitingPerReplica ?? DEFAULT_MAX_WAITING)
    const known = this.#deps.knownSpeed(pod, device)
    entry.unitsPerSecond = known ?? ((await model.measure()) * device.shareBps) / 10_000
    if (known === null) this.#deps.saveSpeed(pod, device, entry.unitsPerSecond)
  }

  /** Where a load stands, as the replica's reason; at most once a second, because each change is told to the router. */
  #tell(entry: Entry, text: string): void {
    const nowMs = this.#deps.clock.now()
    if (nowMs - entry.toldAtMs < TELL_INTERVAL_MS || entry.state !== 'loading') return
    entry.toldAtMs = nowMs
    entry.reason = text
    this.#deps.changed()
  }

  #failed(entry: Entry, reason: string): void {
    void this.#unload(entry)
    if (this.#isStopped || entry.state === 'draining') return
    const retryInMs = fullJitterMs(entry.failures, this.#options.backoff ?? DEFAULT_BACKOFF, this.#deps.random)
    entry.state = 'failed'
    entry.reason = reason
    entry.failures += 1
    this.#deps.logger.error({ pod: entry.pod.name, device: entry.device.id, reason, retryInMs }, 'pod could not be loaded')
    this.#deps.clock.after(retryInMs, () => {
      if (entry.state !== 'failed' || this.#isStopped) return
      if (entry.isEager) void this.#load(entry)
      else entry.state = 'cold'
      this.#deps.changed()
    })
  }

  /** Unloads idle pods that were used longest ago until the new one fits; an eager or busy one is never touched. */
  async #makeRoom(entry: Entry): Promise<void> {
    const limitBytes = entry.device.memoryBytes * MODEL_MEMORY_SHARE
    const loaded = [...this.#entries.values()].filter(other => other.device.id === entry.device.id && other.model && other !== entry)
    let usedBytes = loaded.reduce((sum, other) => sum + (other.files?.bytes ?? 0), entry.files?.bytes ?? 0)
    const idle = loaded.filter(other => other.slots.busy === 0 && !other.isEager).sort((a, b) => a.lastUsedMs - b.lastUsedMs)
    for (const other of idle) {
      if (usedBytes <= limitBytes) return
      usedBytes -= other.files?.bytes ?? 0
      await this.#evict(other, entry.pod.name)
    }
  }

  #evict(entry: Entry, reason: string): Promise<void> {
    this.#deps.logger.info({ pod: entry.pod.name, device: entry.device.id, for: reason }, 'pod evicted')
    entry.state = 'cold'
    return this.#unload(entry)
  }

  #retire(entry: Entry): void {
    entry.stop.abort(new Error('The pod was removed or replaced.'))
    const isIdle = entry.slots.busy === 0 && !entry.loading
    entry.state = 'draining'
    this.#draining.add(entry)
    if (isIdle) void this.#unload(entry)
    else if (entry.loading) void entry.loading.then(() => this.#unload(entry))
  }

  async #unload(entry: Entry): Promise<void> {
    const { model, files } = entry
    entry.model = null
    entry.files = null
    try {
      await model?.unload()
    } catch (error) {
      this.#deps.logger.error({ pod: entry.pod.name, reason: messageOf(error) }, 'pod could not be unloaded')
    }
    files?.release()
    this.#draining.delete(entry)
    if (model) this.#deps.changed()
  }
}

/** `34 % (12.3 of 36.0 MB, 5.1 MB/s)` */
function describeProgress({ receivedBytes, totalBytes, bytesPerSecond }: Progress): string {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1)
  const speed = `${mb(bytesPerSecond)} MB/s`
  if (totalBytes === null || totalBytes === 0) return `${mb(receivedBytes)} MB, ${speed}`
  return `${Math.floor((100 * receivedBytes) / totalBytes)} % (${mb(receivedBytes)} of ${mb(totalBytes)} MB, ${speed})`
}

function preference({ state, slots }: Entry): number {
  const isFull = state === 'warm' && slots.free === 0
  return isFull ? 3 : { warm: 0, loading: 1, cold: 2, failed: 4, draining: 5 }[state]
}

function refusal(code: ReplicaErrorCode, message: string): HeuristError<ReplicaErrorCode> {
  return new HeuristError(code, message, { retryable: true })
}

function loadFailure(pod: PodRecord, reason: string | null): HeuristError<ReplicaErrorCode> {
  return refusal('NODE_LOAD_FAILED', `Pod ${pod.name} could not be loaded: ${reason ?? 'no reason is known'}.`)
}

async function abortable(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  let onAbort = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
