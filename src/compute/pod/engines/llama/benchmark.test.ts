import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { benchmarkLlama } from './benchmark.ts'

test('default: the kernel of GPUs runs on the real runtime, here on the CPU, and leaves no file behind', async () => {
  const left = () => readdirSync(tmpdir()).filter(name => name.startsWith('heurist-benchmark-'))
  const before = left()
  const score = await benchmarkLlama({ device: { kind: 'cpu' }, threads: 1, width: 128 })
  // One core: between a thousandth of what it should do and more than any has.
  expect(score).toBeGreaterThan(1e7)
  expect(score).toBeLessThan(1e13)
  expect(left()).toEqual(before)
})
