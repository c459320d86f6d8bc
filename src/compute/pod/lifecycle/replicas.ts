import { type BackoffOptions, type Clock, fullJitterMs, type Logger, type Random } from '#platform'
import {
  type Bytes32,
  type Device,
  type HeuristError,
  messageOf,
  type PodManifest,
  type PodRecord,
  type Replica,
  type ReplicaAction,
  unmetRequirements,
} from '#protocol'
import type { LoadedModel } from '../engines/engine.ts'
import { abortable } from './abortable.ts'
import { countCrash, type Entry, factOf, isIdle, newEntry, preference, tenantOf } from './entry.ts'
import { Health } from './health.ts'
import { Loading, type LoadingDependencies } from './loading.ts'
import { promisedOn } from './packing.ts'
import { Placing } from './placing.ts'
import { loadFailure, type ReplicaErrorCode, refusal } from './refusals.ts'
import type { Slots } from './slots.ts'

export type ReplicaOptions = {
  /** Requests at once that the owner allows for one replica; an engine may give fewer. */
  readonly slots: (manifest: PodManifest) => number
  readonly maxWaitingPerReplica?: number
  readonly backoff?: BackoffOptions
}
export type ReplicaDependencies = Omit<LoadingDependencies, 'pulled' | 'cleared'> & {
  readonly devices: () => readonly Device[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** For metrics. */
  readonly told?: ((event: ReplicaEvent) => void) | undefined
  /** Why the owner does not allow the pod; null when he does. */
  objection(pod: PodRecord): string | null
}

/** What became of a replica; with how long its load took. */
export type ReplicaEvent = { readonly kind: 'loaded' | 'failed' | 'lost' | 'evicted'; readonly seconds?: number }

/** A pod that is loaded on one device. */
export type LoadedReplica = {
  readonly deviceId: string
  readonly model: LoadedModel
  /** Resolves with the function that frees the slot; null when too many wait already. */
  claim(signal: AbortSignal): Promise<(() => void) | null>
}

const DEFAULT_BACKOFF: BackoffOptions = { baseMs: 2000, maxMs: 300_000 }
/** Room comes and goes faster than what else keeps a pod from loading. */
const ROOM_BACKOFF: BackoffOptions = { baseMs: 2000, maxMs: 15_000 }
const DEFAULT_MAX_WAITING = 64
/** Facts carry at most this many replicas (protocol/node.ts). */
const MAX_FACTS = 256

/**
 * Every pod on every device of a node that can hold it: cold -> loading -> warm -> draining -> gone. A replica is loaded when the router's
 * autoscaler wishes it or a lease needs it, on the device that `pack` gives it. What fails or finds no room shows why, and may be tried again
 * after a growing pause.
 */
export class Replicas {
  readonly #options: ReplicaOptions
  readonly #deps: ReplicaDependencies
  readonly #pods = new Map<Bytes32, PodRecord>()
  readonly #entries = new Map<string, Entry>()
  readonly #draining = new Set<Entry>()
  readonly #placing: Placing
  readonly #loading: Loading
  readonly #health: Health
  #isStopped = false

  constructor(options: ReplicaOptions, dependencies: ReplicaDependencies) {
    this.#options = options
    this.#deps = dependencies
    const { clock, devices } = dependencies
    this.#placing = new Placing({
      clock,
      devices,
      slots: options.slots,
      present: () => this.#all(),
      start: (entry, evict) => {
        for (const other of evict) this.#evict(other, entry.pod.name)
        this.#load(entry)
      },
      refuse: (entry, reason) => {
        entry.lacksRoom = true
        this.#setFailed(entry, reason)
      },
    })
    this.#loading = new Loading(options.maxWaitingPerReplica ?? DEFAULT_MAX_WAITING, {
      ...dependencies,
      pulled: (entry, bytes) => {
        for (const other of this.#placing.takeWeights(entry, bytes)) this.#evict(other, entry.pod.name)
      },
      cleared: () => Promise.all(this.#all().map(({ unloading }) => unloading)),
    })
    this.#health = new Health({ clock, present: () => this.#all(), ill: (entry, reason) => this.#lose(entry, reason) })
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
    const reasons = this.#deps.devices().map(device => this.#unmet(pod, device))
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
    return this.#all()
      .slice(0, MAX_FACTS)
      .map(entry => factOf(entry, this.#options.slots(entry.pod.manifest)))
  }

  /**
   * The pod, loaded. `onLoading` is called when the caller has to wait for it. Aborting `signal` ends the wait, not the load:
   * another lease may need it. @throws HeuristError with a {@link ReplicaErrorCode}
   */
  async ready(pod: PodRecord, options: { signal: AbortSignal; onLoading(): void }): Promise<LoadedReplica> {
    const objection = this.objection(pod)
    if (objection) throw objection
    const entry = await this.#warm(pod, options)
    const { model, slots } = entry
    if (entry.state !== 'warm' || !model) throw loadFailure(pod, entry.reason)
    return { deviceId: entry.device.id, model, claim: signal => this.#claim(entry, slots, signal) }
  }

  /**
   * What the router's autoscaler wishes: one more replica, or one fewer, if one is idle. A pod that the node does not hold, or has no room
   * for, is no fault: the facts tell.
   */
  scale(podId: Bytes32, action: ReplicaAction): void {
    const own = [...this.#entries.values()].filter(({ pod }) => pod.podId === podId)
    if (this.#isStopped) return
    if (action === 'load') {
      const cold = own.find(({ state }) => state === 'cold')
      if (cold) void this.#placing.request(cold.pod)
      return
    }
    const idle = own.filter(isIdle).sort((a, b) => a.lastUsedMs - b.lastUsedMs)[0]
    if (idle) this.#evict(idle, 'the autoscaler')
  }

  /** What is promised of the device's memory. */
  promisedBytes(device: Device): number {
    return promisedOn(
      device,
      this.#all().flatMap(entry => tenantOf(entry) ?? []),
    )
  }

  get isLoading(): boolean {
    return this.#all().some(({ loading }) => loading !== null)
  }

  /** Measures the speed of an idle replica again; which one is drawn. */
  async measureAgain(): Promise<void> {
    const idle = [...this.#entries.values()].filter(isIdle)
    const entry = idle[Math.floor(this.#deps.random() * idle.length)]
    if (entry) await this.#loading.measureAgain(entry)
  }

  /** Unloads everything. Leases must be over. */
  async stop(): Promise<void> {
    this.#isStopped = true
    const entries = this.#all()
    this.#entries.clear()
    this.#placing.stop()
    this.#health.stop()
    for (const entry of entries) entry.stop.abort(new Error('The node is stopping.'))
    await Promise.all(entries.map(entry => entry.loading))
    await Promise.all(entries.map(entry => this.#unload(entry)))
  }

  /** What the device lacks, or else why the pod's engine can not compute on it. */
  #unmet({ manifest }: PodRecord, device: Device): string[] {
    const unmet = unmetRequirements(manifest, device)
    const objection = this.#deps.engines[manifest.spec.engine.name]?.objectionTo?.(manifest, device) ?? null
    return unmet.length > 0 || objection === null ? unmet : [objection]
  }

  #all(): Entry[] {
    return [...this.#entries.values(), ...this.#draining]
  }

  #host(pod: PodRecord): void {
    const { devices, knownSpeed, clock } = this.#deps
    for (const device of devices()) {
      const key = `${pod.podId} ${device.id}`
      if (this.#entries.has(key) || this.#unmet(pod, device).length > 0) continue
      this.#entries.set(key, newEntry(pod, device, { unitsPerSecond: knownSpeed(pod, device) ?? 0, nowMs: clock.now() }))
    }
  }

  /** A replica that is loaded, or was when the wait for it ended. */
  async #warm(pod: PodRecord, { signal, onLoading }: { signal: AbortSignal; onLoading(): void }): Promise<Entry> {
    const first = this.#choose(pod)
    if (first.state === 'warm' || first.state === 'failed') return first
    onLoading()
    const placed = first.state === 'cold' ? this.#placing.share(first.pod) : Promise.resolve(first)
    const entry = await abortable(placed, signal).catch(error => {
      throw signal.aborted ? error : loadFailure(pod, messageOf(error))
    })
    if (entry.loading) await abortable(entry.loading, signal)
    return entry
  }

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

  /** The outcome is the entry's state. */
  #load(entry: Entry): void {
    entry.state = 'loading'
    entry.reason = null
    entry.loading = this.#runLoad(entry).finally(() => {
      entry.loading = null
      this.#deps.changed()
    })
    this.#deps.changed()
  }

  async #runLoad(entry: Entry): Promise<void> {
    const startedAtMs = this.#deps.clock.now()
    try {
      await this.#loading.load(entry)
      entry.failures = 0
      entry.warmAtMs = this.#deps.clock.now()
      this.#deps.told?.({ kind: 'loaded', seconds: (entry.warmAtMs - startedAtMs) / 1000 })
      entry.reason = null
      // A pod that was removed while it loaded stays draining; retire() unloads it.
      if (!this.#draining.has(entry)) entry.state = 'warm'
      this.#watch(entry)
    } catch (error) {
      void this.#unload(entry)
      if (this.#isStopped || entry.state === 'draining') return
      this.#deps.told?.({ kind: 'failed' })
      this.#setFailed(entry, messageOf(error))
    }
  }

  #watch(entry: Entry): void {
    const { model } = entry
    void model?.died?.then(reason => {
      if (entry.model === model) this.#lose(entry, reason)
    })
  }

  /** A model that is gone by itself, or takes no jobs any more, is loaded again like one that could not be loaded. */
  #lose(entry: Entry, reason: string): void {
    void this.#unload(entry)
    if (entry.state !== 'warm') return
    countCrash(entry, this.#deps.clock.now())
    this.#deps.told?.({ kind: 'lost' })
    this.#setFailed(entry, reason)
  }

  #setFailed(entry: Entry, reason: string): void {
    const backoff = entry.lacksRoom ? ROOM_BACKOFF : (this.#options.backoff ?? DEFAULT_BACKOFF)
    const retryInMs = fullJitterMs(entry.failures, backoff, this.#deps.random)
    entry.state = 'failed'
    entry.reason = reason
    entry.failures += 1
    entry.cancelRetry = this.#deps.clock.after(retryInMs, () => this.#forgive(entry))
    this.#deps.logger.error({ pod: entry.pod.name, device: entry.device.id, reason, retryInMs }, 'pod could not be loaded')
    this.#deps.changed()
  }

  /** It may be loaded again. */
  #forgive(entry: Entry): void {
    if (entry.state !== 'failed' || this.#isStopped) return
    entry.cancelRetry()
    entry.state = 'cold'
    entry.lacksRoom = false
    this.#deps.changed()
  }

  #evict(entry: Entry, reason: string): void {
    this.#deps.logger.info({ pod: entry.pod.name, device: entry.device.id, for: reason }, 'pod evicted')
    this.#deps.told?.({ kind: 'evicted' })
    entry.state = 'cold'
    void this.#unload(entry)
  }

  #retire(entry: Entry): void {
    entry.stop.abort(new Error('The pod was removed or replaced.'))
    const isIdle = entry.slots.busy === 0 && !entry.loading
    entry.state = 'draining'
    this.#draining.add(entry)
    if (isIdle) void this.#unload(entry)
    else if (entry.loading) void entry.loading.then(() => this.#unload(entry))
  }

  #unload(entry: Entry): Promise<void> {
    // An earlier one may still be under way: it had another model.
    const unloading = Promise.all([this.#loading.unload(entry), entry.unloading]).then(([wasLoaded]) => {
      if (entry.unloading === unloading) entry.unloading = null
      this.#draining.delete(entry)
      if (!wasLoaded) return
      for (const other of this.#entries.values()) if (other.lacksRoom) this.#forgive(other)
      this.#deps.changed()
    })
    entry.unloading = unloading
    return unloading
  }
}
