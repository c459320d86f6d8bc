import { describe, expect, test } from 'vitest'
import { type Isolation, type PodRecord, podManifestSchema } from '#protocol'
import type { SandboxSupport } from '../pod/sandbox/detect.ts'
import { ownerObjection, sandboxObjection } from './owner-rules.ts'
import { makePod } from './testing/fixtures.ts'

const model = makePod()
const sandbox: SandboxSupport = {
  sandbox: { description: 'test', limitsCores: false, start: () => Promise.reject(new Error('not here')) },
  problem: null,
}

function program(network: 'none' | 'host' = 'none', isolation?: Isolation): PodRecord {
  const { spec, ...rest } = model.manifest
  const command = { run: ['node', 'x.mjs'], network }
  const manifest = podManifestSchema.parse({
    ...rest,
    spec: { ...spec, runtime: 'command', engine: { name: 'command' }, command, ...(isolation && { isolation }) },
  })
  return { ...model, manifest }
}

describe('ownerObjection', () => {
  test('default: the list names a pod, its id or its deployer; none allows all', () => {
    for (const allowed of [null, [model.name], [model.podId], [model.deployer], [model.deployer.toUpperCase()]]) {
      expect(ownerObjection(model, { allowedPods: allowed, networkPods: [] }), String(allowed)).toBeNull()
    }
    expect(ownerObjection(model, { allowedPods: [], networkPods: [] })).toContain('does not allow pod')
  })

  test('error: the network is granted to a pod by name or id, never by its deployer', () => {
    const pod = program('host')
    for (const networkPods of [[], [pod.deployer], ['any']]) {
      expect(ownerObjection(pod, { allowedPods: null, networkPods }), String(networkPods)).toContain('--allow-network')
    }
    expect(ownerObjection(pod, { allowedPods: null, networkPods: [pod.name] })).toBeNull()
    expect(ownerObjection(program(), { allowedPods: null, networkPods: [] })).toBeNull()
  })
})

describe('sandboxObjection', () => {
  const none: SandboxSupport = { sandbox: null, problem: 'install bubblewrap' }

  test('default: a program needs a sandbox, a model does not', () => {
    expect(sandboxObjection(program(), sandbox)).toBeNull()
    expect(sandboxObjection(model, none)).toBeNull()
    expect(sandboxObjection(program(), none)).toContain('install bubblewrap')
  })

  test('error: another isolation than the one this node has, and no isolation at all', () => {
    expect(sandboxObjection(program('none', 'bwrap'), sandbox)).toBeNull()
    for (const isolation of ['none', 'container'] as const)
      expect(sandboxObjection(program('none', isolation), sandbox), isolation).toContain(`"${isolation}"`)
  })
})
