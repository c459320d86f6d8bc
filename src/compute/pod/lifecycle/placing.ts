import type { Clock } from '#platform'
import type { Device, PodManifest, PodRecord } from '#protocol'
import { bytesOn, type Entry, hostBytesOn, tenantOf } from './entry.ts'
import { type Outcome, type Placed, pack, type Tenant, trustClassOf, type Wish } from './packing.ts'

export type PlacingDependencies = {
  readonly clock: Pick<Clock, 'afterTurn'>
  /** Every replica that is here, those that drain among them. */
  readonly present: () => readonly Entry[]
  readonly devices: () => readonly Device[]
  readonly slots: (manifest: PodManifest) => number
  /** It has got its part of its device, and these are to go for it. */
  start(entry: Entry, evict: readonly Entry[]): void
  /** There is no room for it. */
  refuse(entry: Entry, reason: string): void
}

/** A load that was asked for. Rejects with why it is not placed, in words. */
type Request = { readonly pod: PodRecord; readonly decided: PromiseWithResolvers<Entry> }

/** Which device a load gets: decided together with all that is asked for in the same turn of the event loop, the largest first. */
export class Placing {
  readonly #deps: PlacingDependencies
  #requests: Request[] = []
  /** Bytes of the weights of pods that were here once, by the hash of their manifest. */
  readonly #weights = new Map<string, number>()

  constructor(dependencies: PlacingDependencies) {
    this.#deps = dependencies
  }

  /** One more replica of the pod. */
  request(pod: PodRecord): Promise<Entry> {
    const decided = Promise.withResolvers<Entry>()
    // Who does not wait for the answer reads it in the facts.
    decided.promise.catch(() => undefined)
    if (this.#requests.push({ pod, decided }) === 1) this.#deps.clock.afterTurn(() => this.#decide())
    return decided.promise
  }

  /** The replica that was asked for in this turn already, or one more. */
  share(pod: PodRecord): Promise<Entry> {
    return this.#requests.find(request => request.pod === pod)?.decided.promise ?? this.request(pod)
  }

  stop(): void {
    for (const { decided } of this.#requests.splice(0)) decided.reject(new Error('the node is stopping'))
  }

  /** The files of the pod are here, and may be larger than its manifest said. @throws when its device has no room for that */
  takeWeights(entry: Entry, weightBytes: number): readonly Entry[] {
    const { pod, device, granted: slots, hostBytes } = entry
    this.#weights.set(pod.manifestHash, weightBytes)
    const bytes = bytesOn(device, pod.manifest, weightBytes)
    if (bytes <= entry.bytes) return []
    const others = this.#deps.present().filter(other => other !== entry)
    const [outcome] = this.#pack(others, [{ ...nameOf(pod), slots, options: [{ deviceId: device.id, bytes, hostBytes }] }])
    if (!outcome || 'refusals' in outcome) {
      entry.lacksRoom = true
      throw new Error(outcome?.refusals.get(device.id))
    }
    entry.bytes = bytes
    return outcome.evict
  }

  #decide(): void {
    const requests = this.#requests.splice(0)
    const wishes = requests.map(({ pod }): Wish => {
      const options = this.#coldOf(pod).map(({ device }) => ({
        deviceId: device.id,
        bytes: this.#bytes(pod, device),
        hostBytes: hostBytesOn(device, pod.manifest),
      }))
      return { ...nameOf(pod), slots: this.#deps.slots(pod.manifest), options }
    })
    const outcomes = this.#pack(this.#deps.present(), wishes)
    for (const [index, { pod, decided }] of requests.entries()) {
      const outcome = outcomes[index]!
      if ('refusals' in outcome) decided.reject(this.#refuse(pod, outcome.refusals))
      else decided.resolve(this.#grant(pod, outcome))
    }
  }

  #grant(pod: PodRecord, { deviceId, slots, evict }: Placed<Entry>): Entry {
    const entry = this.#coldOf(pod).find(({ device }) => device.id === deviceId)!
    entry.granted = slots
    entry.bytes = this.#bytes(pod, entry.device)
    entry.hostBytes = hostBytesOn(entry.device, pod.manifest)
    this.#deps.start(entry, evict)
    return entry
  }

  #refuse(pod: PodRecord, refusals: ReadonlyMap<string, string>): Error {
    for (const entry of this.#coldOf(pod)) {
      const reason = refusals.get(entry.device.id)
      if (reason !== undefined) this.#deps.refuse(entry, reason)
    }
    return new Error([...refusals.values()].join('; ') || 'it is loaded wherever it can be')
  }

  #coldOf({ podId, manifestHash }: PodRecord): Entry[] {
    return this.#deps.present().filter(({ state, pod }) => state === 'cold' && pod.podId === podId && pod.manifestHash === manifestHash)
  }

  #bytes({ manifest, manifestHash }: PodRecord, device: Device): number {
    return bytesOn(device, manifest, this.#weights.get(manifestHash))
  }

  #pack(present: readonly Entry[], wishes: readonly Wish[]): Outcome<Entry>[] {
    const entries = new Map<Tenant, Entry>()
    for (const entry of present) {
      const tenant = tenantOf(entry)
      if (tenant) entries.set(tenant, entry)
    }
    return pack(this.#deps.devices(), [...entries.keys()], wishes).map(outcome =>
      'refusals' in outcome ? outcome : { ...outcome, evict: outcome.evict.map(tenant => entries.get(tenant)!) },
    )
  }
}

function nameOf(pod: PodRecord): Pick<Wish, 'podId' | 'podName' | 'trust'> {
  return { podId: pod.podId, podName: pod.name, trust: trustClassOf(pod) }
}
