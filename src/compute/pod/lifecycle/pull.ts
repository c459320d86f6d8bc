import type { Clock, Logger, ProxyOptions, Random } from '#platform'
import type { PodManifest } from '#protocol'
import { createModelCache, type ModelCache } from './cache.ts'
import { discardPart, download, type OnProgress } from './download.ts'
import { modelError } from './errors.ts'
import { createHttpClient, type HttpClient, type HttpOptions } from './http.ts'
import { chooseFile, listFiles, refuseStatus, resolveUrl, shaOf } from './hub.ts'
import { type ModelSource, parseSource } from './source.ts'

export type PullOptions = {
  readonly cacheDir: string
  readonly cacheBytes: number
  /** Base address of a server with the endpoints of huggingface.co (HF_ENDPOINT). */
  readonly hubUrl?: string
  /** HF_TOKEN, for gated and private repositories; goes to the hub alone. */
  readonly hubToken?: string
  /** Further origins that the owner trusts with plain HTTP and private addresses: a mirror on his own network. */
  readonly trustedOrigins?: readonly string[]
  readonly proxies?: ProxyOptions
}
export type PullDependencies = {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}
export type PullCall = { readonly signal: AbortSignal; readonly onProgress?: OnProgress }
type Model = PodManifest['spec']['model']
type RemoteSource = Extract<ModelSource, { kind: 'hub' | 'url' }>
/** What a source offers, before anything is pulled. */
export type ModelOffer = { readonly file: string; readonly url: URL; readonly bytes: number | null; readonly sha256: string | null }
export type PulledModel = { readonly path: string; readonly sha256: string; release(): void }

export const PUBLIC_HUB = 'https://huggingface.co'

/** Brings models from hubs and web servers into the cache; each one once, however many pods ask at the same time. */
export class Puller {
  readonly #options: PullOptions
  readonly #deps: PullDependencies
  readonly #http: HttpClient
  readonly #endpoint: string
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly cache: ModelCache

  constructor(options: PullOptions, dependencies: PullDependencies) {
    this.#options = options
    this.#deps = dependencies
    this.#endpoint = options.hubUrl ?? PUBLIC_HUB
    const http: HttpOptions = {
      trustedOrigins: [this.#endpoint, ...(options.trustedOrigins ?? [])],
      ...(options.proxies && { proxies: options.proxies }),
      ...(options.hubToken !== undefined && { token: { origin: this.#endpoint, value: options.hubToken } }),
    }
    this.#http = createHttpClient(http)
    this.cache = createModelCache({ directory: options.cacheDir, budgetBytes: options.cacheBytes }, { now: dependencies.clock.now })
  }

  /** Which file a source means, with size and checksum where the server says them. @throws HeuristError MODEL_* */
  async inspect(model: Model, signal: AbortSignal): Promise<ModelOffer> {
    const offer = await this.#offer(parseRemote(model.source), model, signal)
    if (offer.bytes !== null && offer.sha256 !== null) return offer
    // One byte is enough to be told the size and, behind a hub's redirect, the checksum.
    const answer = await this.#http.get(offer.url, { headers: { range: 'bytes=0-0' }, signal })
    await refuseStatus(answer, offer.file)
    answer.body.on('error', () => {}).destroy()
    const announced = answer.hops.map(headers => shaOf(headers['x-linked-etag'])).find(sha256 => sha256 !== null)
    const length = answer.status === 206 ? /\/(\d+)$/.exec(answer.headers['content-range'] ?? '')?.[1] : answer.headers['content-length']
    return { ...offer, bytes: offer.bytes ?? (length === undefined ? null : Number(length)), sha256: offer.sha256 ?? announced ?? null }
  }

  /** The model's file, from the cache or the network. @throws HeuristError MODEL_* */
  async pull(model: Model, call: PullCall): Promise<PulledModel> {
    const key = keyOf(model)
    const before = this.#turns.get(key) ?? Promise.resolve()
    const turn = before.then(() => this.#pullOnce(key, model, call))
    const settled = turn.catch(() => undefined)
    this.#turns.set(key, settled)
    try {
      return await turn
    } finally {
      if (this.#turns.get(key) === settled) this.#turns.delete(key)
    }
  }

  close(): Promise<void> {
    return this.#http.close()
  }

  async #pullOnce(key: string, model: Model, { signal, onProgress }: PullCall): Promise<PulledModel> {
    signal.throwIfAborted()
    const known = this.#known(model)
    const cached = known === null ? null : this.#held(known)
    if (cached) return cached
    const offer = await this.#offer(parseRemote(model.source), model, signal)
    if (offer.bytes !== null) this.cache.makeRoom(offer.bytes)
    const partPath = this.cache.partPath(key)
    const { clock, random, logger } = this.#deps
    logger.info({ model: model.id, file: offer.file, from: offer.url.origin, bytes: offer.bytes }, 'pulling a model')
    const { sha256, bytes } = await download(
      {
        name: `${model.id} (${offer.file})`,
        url: offer.url,
        partPath,
        expectedBytes: offer.bytes,
        expectedSha256: offer.sha256,
        maxBytes: this.#options.cacheBytes,
        signal,
      },
      { http: this.#http, clock, random, ...(onProgress && { onProgress }) },
    )
    try {
      this.cache.makeRoom(bytes)
    } catch (error) {
      discardPart(partPath)
      throw error
    }
    this.cache.adopt(partPath, sha256)
    this.cache.refer(key, sha256)
    logger.info({ model: model.id, bytes, sha256 }, 'model pulled')
    const pulled = this.#held(sha256)
    if (!pulled) throw modelError('MODEL_FILE_MISSING', `${model.id} vanished from the model cache. Does another program clean it?`)
    return pulled
  }

  /** Path of the model when it is in the cache. */
  locate(model: Model): string | null {
    const known = this.#known(model)
    return known === null ? null : this.cache.find(known)
  }

  #known(model: Model): string | null {
    return model.sha256 ?? this.cache.reference(keyOf(model))
  }

  #held(sha256: string): PulledModel | null {
    const path = this.cache.find(sha256)
    return path === null ? null : { path, sha256, release: this.cache.hold(sha256) }
  }

  async #offer(source: RemoteSource, model: Model, signal: AbortSignal): Promise<ModelOffer> {
    const expected = { bytes: model.bytes ?? null, sha256: model.sha256 ?? null }
    if (source.kind === 'url') return { file: source.url.pathname.split('/').at(-1) || source.url.host, url: source.url, ...expected }
    const { repository, file } = source
    if (file !== null) return { file, url: resolveUrl(this.#endpoint, repository, model.revision, file), ...expected }
    const files = await listFiles({ endpoint: this.#endpoint, http: this.#http }, repository, model.revision, signal)
    const chosen = chooseFile(files, repository, model.quantization)
    return {
      file: chosen.path,
      url: resolveUrl(this.#endpoint, repository, model.revision, chosen.path),
      bytes: expected.bytes ?? chosen.bytes,
      sha256: expected.sha256 ?? chosen.sha256,
    }
  }
}

/** One key per thing that a manifest can mean; without a checksum it stands for what was found first. */
function keyOf({ source, revision, quantization, sha256 }: Model): string {
  return `${source} ${revision} ${quantization} ${sha256 ?? ''}`
}

function parseRemote(text: string): RemoteSource {
  const source = parseSource(text)
  if (source.kind === 'hub' || source.kind === 'url') return source
  throw modelError('MODEL_BAD_SOURCE', `${text} is not pulled: it is on the node already.`)
}

export function createPuller(options: PullOptions, dependencies: PullDependencies): Puller {
  return new Puller(options, dependencies)
}
