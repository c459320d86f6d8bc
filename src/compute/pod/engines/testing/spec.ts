import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { silentLogger, systemClock } from '#platform'
import { type Device, type PodManifest, podManifestSchema, ZERO_BYTES32 } from '#protocol'
import type { EngineDeps, LoadSpec } from '../engine.ts'

/** Test support: what an engine is loaded with in the tests of this folder. */
export const TINY_MODEL = join(import.meta.dirname, '../../../../../models/heurist-tiny/heurist-tiny-q8_0.gguf')

export const deps: EngineDeps = { clock: systemClock, random: length => randomBytes(length), logger: silentLogger }

const device: Device = {
  id: 'cpu',
  kind: 'cpu',
  name: 'test',
  memoryBytes: 2 ** 30,
  computeCapability: 0,
  shareBps: 10_000,
  slots: 64,
  benchmark: null,
}

type ManifestOptions = { engine: PodManifest['spec']['engine']['name']; modelId: string; contextLength?: number; url?: string }

export function manifestOf({ engine, modelId, contextLength = 512, url }: ManifestOptions): PodManifest {
  return podManifestSchema.parse({
    apiVersion: 'heurist/v1',
    kind: 'Pod',
    metadata: { name: 'test' },
    spec: {
      runtime: engine === 'use-lite' ? 'embedding' : 'llm',
      engine: { name: engine, ...(url !== undefined && { url }) },
      model: { id: modelId, source: 'builtin:test', contextLength },
      price: { input: '1', output: '1' },
    },
  })
}

export function specOf(options: ManifestOptions & { modelPath?: string | null; slots?: number; signal?: AbortSignal }): LoadSpec {
  return {
    podId: ZERO_BYTES32,
    manifest: manifestOf(options),
    modelPath: options.modelPath ?? null,
    device,
    slots: options.slots ?? 3,
    signal: options.signal ?? new AbortController().signal,
  }
}
