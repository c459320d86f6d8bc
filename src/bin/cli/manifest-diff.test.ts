import { describe, expect, test } from 'vitest'
import { changeText, diffManifests } from './manifest-diff.ts'

describe('diffManifests', () => {
  test('default: added, removed and changed values by their paths', () => {
    const before = { kind: 'Pod', spec: { scaling: { min: 1, max: 2 }, command: { run: ['node', 'a.mjs'] }, old: true } }
    const after = {
      kind: 'Pod',
      spec: { scaling: { min: 0, max: 2 }, command: { run: ['node', 'a.mjs', '--fast'] }, price: { input: '1' } },
    }
    expect(diffManifests(before, after).map(changeText)).toEqual([
      '+ spec.command.run.2: "--fast"',
      '- spec.old: true',
      '+ spec.price.input: "1"',
      '~ spec.scaling.min: 1 -> 0',
    ])
  })

  test('behavior: nothing to tell about the same manifest, everything about a new one', () => {
    const manifest = { a: { b: [], c: {}, d: null } }
    expect(diffManifests(manifest, structuredClone(manifest))).toEqual([])
    expect(diffManifests(null, manifest).map(changeText)).toEqual(['+ a.b: []', '+ a.c: {}', '+ a.d: null'])
  })
})
