import { SimpleMerkleTree } from '@openzeppelin/merkle-tree'
import { describe, expect, test } from 'vitest'
import type { Bytes32 } from './ids.ts'
import { keccak256 } from './keccak.ts'
import { merkleTree } from './merkle.ts'

const leavesOf = (count: number): Bytes32[] => Array.from({ length: count }, (_, index) => keccak256(`leaf ${count} ${index}`))

describe('merkleTree', () => {
  test.each([1, 2, 3, 4, 5, 8, 13, 64, 100])('default: %i leaves have the root and the proofs of the library', count => {
    const leaves = leavesOf(count)
    const ours = merkleTree(leaves)
    const library = SimpleMerkleTree.of(leaves)
    expect(ours.root).toBe(library.root)
    for (const leaf of leaves) {
      expect(ours.proof(leaf), leaf).toEqual(library.getProof(leaf))
      expect(SimpleMerkleTree.verify(ours.root, leaf, ours.proof(leaf)!), leaf).toBe(true)
    }
  })

  test('behavior: the order of the leaves does not matter, and a stranger has no proof', () => {
    const leaves = leavesOf(9)
    expect(merkleTree(leaves.toReversed()).root).toBe(merkleTree(leaves).root)
    expect(merkleTree(leaves).proof(keccak256('stranger'))).toBeNull()
  })

  test('error: no leaves, no tree', () => {
    expect(() => merkleTree([])).toThrowError(RangeError)
  })
})
