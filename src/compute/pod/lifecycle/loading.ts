import type { Clock, Logger } from '#platform'
import { type Device, type EngineName, messageOf, type PodManifest, type PodRecord } from '#protocol'
import type { Engine, LoadedModel } from '../engines/engine.ts'
import type { OnProgress, Progress } from './download.ts'
import type { Entry, ResolvedModel } from './entry.ts'
import { Slots } from './slots.ts'

export type LoadingDependencies = {
  readonly engines: Readonly<Partial<Record<EngineName, Engine>>>
  readonly clock: Clock
  readonly logger: Logger
  resolveModel(manifest: PodManifest, options: { signal: AbortSignal; onProgress: OnProgress }): Promise<ResolvedModel>
  /** Speed of the same pod version on the same device from an earlier start, or null. */
  knownSpeed(pod: PodRecord, device: Device): number | null
  saveSpeed(pod: PodRecord, device: Device, unitsPerSecond: number): void
  changed(): void
  /** Its files are here. @throws when its device has no room for them */
  pulled(entry: Entry, bytes: number): void
  /** Resolves when what was evicted has given back its memory. */
  cleared(): Promise<unknown>
}

const TELL_INTERVAL_MS = 1000
/** Of a speed that was not reached again this much stays with each measurement. */
const FADE = 0.9

/** Brings replicas into memory and out of it: pull, load, measure; unload, let go of the files. */
export class Loading {
  readonly #deps: LoadingDependencies
  readonly #maxWaiting: number
  /** Engines load one after another: two at once fight for the same cores and both measure wrongly. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(maxWaiting: number, dependencies: LoadingDependencies) {
    this.#maxWaiting = maxWaiting
    this.#deps = dependencies
  }

  /** @throws why it could not be loaded; what was pulled is still to be let go of */
  async load(entry: Entry): Promise<void> {
    const { pod, device, stop } = entry
    const onProgress = (progress: Progress): void => this.#tell(entry, `pulling ${describeProgress(progress)}`)
    entry.files = await this.#deps.resolveModel(pod.manifest, { signal: stop.signal, onProgress })
    const turn = this.#queue.then(() => this.#loadEngine(entry))
    this.#queue = turn.catch(() => undefined)
    await turn
    this.#deps.logger.info({ pod: pod.name, device: device.id, unitsPerSecond: Math.round(entry.unitsPerSecond) }, 'pod is warm')
  }

  /** Measures an idle replica again, as one of its jobs. @throws what the engine said */
  async measureAgain(entry: Entry): Promise<void> {
    const { pod, device, model, slots } = entry
    const release = model && (await slots.claim(new AbortController().signal))
    if (!model || !release) return
    try {
      entry.unitsPerSecond = Math.max(await speedOf(model, device), entry.unitsPerSecond * FADE)
      this.#deps.saveSpeed(pod, device, entry.unitsPerSecond)
      this.#deps.changed()
    } finally {
      release()
    }
  }

  /** Never rejects. @returns whether it had been loaded */
  async unload(entry: Entry): Promise<boolean> {
    const { model, files } = entry
    entry.model = null
    entry.files = null
    try {
      await model?.unload()
    } catch (error) {
      this.#deps.logger.error({ pod: entry.pod.name, reason: messageOf(error) }, 'pod could not be unloaded')
    }
    files?.release()
    return model !== null
  }

  async #loadEngine(entry: Entry): Promise<void> {
    const { pod, device, stop, files } = entry
    const { podId, manifest } = pod
    stop.signal.throwIfAborted()
    this.#deps.pulled(entry, files?.bytes ?? 0)
    await this.#deps.cleared()
    const engine = this.#deps.engines[manifest.spec.engine.name]
    if (!engine) throw new Error(`This node has no engine "${manifest.spec.engine.name}".`)
    const spec = { podId, manifest, modelPath: files?.path ?? null, device, slots: entry.granted, signal: stop.signal }
    const model = await engine.load(spec, fraction => this.#tell(entry, `loading ${Math.floor(fraction * 100)} %`))
    entry.model = model
    entry.granted = model.slots
    entry.slots = new Slots(model.slots, this.#maxWaiting)
    const known = this.#deps.knownSpeed(pod, device)
    entry.unitsPerSecond = known ?? (await speedOf(model, device))
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
}

/** Units per second of the share of the device. */
async function speedOf(model: LoadedModel, { shareBps }: Device): Promise<number> {
  return ((await model.measure()) * (model.isHeldToShare ? 10_000 : shareBps)) / 10_000
}

/** `34 % (12.3 of 36.0 MB, 5.1 MB/s)` */
function describeProgress({ receivedBytes, totalBytes, bytesPerSecond }: Progress): string {
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(1)
  const speed = `${mb(bytesPerSecond)} MB/s`
  if (totalBytes === null || totalBytes === 0) return `${mb(receivedBytes)} MB, ${speed}`
  return `${Math.floor((100 * receivedBytes) / totalBytes)} % (${mb(receivedBytes)} of ${mb(totalBytes)} MB, ${speed})`
}
