import { describe, expect, test } from 'vitest'
import { type Isolation, type PodRecord, podManifestSchema } from '#protocol'
import type { SandboxSupport } from '../pod/sandbox/sandbox.ts'
import { ownerObjection, sandboxObjection } from './owner-rules.ts'
import { makePod } from './testing/fixtures.ts'

const model = makePod()
const some: SandboxSupport = {
  sandbox: { description: 'test', limitsCores: false, start: () => Promise.reject(new Error('not here')) },
  problem: null,
}
const none: SandboxSupport = { sandbox: null, problem: 'install it' }

function program(network: 'none' | 'host' = 'none', isolation?: Isolation): PodRecord {
  const { spec, ...rest } = model.manifest
  const image = isolation === 'container' && `docker.io/library/node@sha256:${'ab'.repeat(32)}`
  const command = { run: ['node', 'x.mjs'], network, ...(image && { image }) }
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
  test('default: a program needs a sandbox, a model does not', () => {
    const sandboxes = { bwrap: none, container: none }
    expect(sandboxObjection(program(), { ...sandboxes, bwrap: some })).toBeNull()
    expect(sandboxObjection(model, sandboxes)).toBeNull()
    expect(sandboxObjection(program(), sandboxes)).toContain('install it')
  })

  test('behavior: each isolation needs its own', () => {
    for (const isolation of ['bwrap', 'container'] as const) {
      const other = isolation === 'bwrap' ? 'container' : 'bwrap'
      expect(sandboxObjection(program('none', isolation), { bwrap: none, container: none, [isolation]: some }), isolation).toBeNull()
      expect(sandboxObjection(program('none', isolation), { bwrap: none, container: none, [other]: some }), isolation).toContain(
        'install it',
      )
    }
  })

  test('error: no isolation at all', () => {
    expect(sandboxObjection(program('none', 'none'), { bwrap: some, container: some })).toContain('the isolation "none"')
  })
})
