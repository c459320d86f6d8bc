// Generator: vectors/*.json, checked by our TypeScript and by the Solidity tests (contracts/test/vectors), so that a rule
// written twice is one rule. The economy's are told by a third party: exact fractions in scripts/vectors, which imports none
// of the code it judges. Columns instead of objects, because Solidity reads arrays by name.
import { SimpleMerkleTree } from '@openzeppelin/merkle-tree'
import { bytesToHex, domainSeparator, jobDomain, jobIdToBytes32, keccak256, receiptLeaf } from '#protocol'
import { encodeSettle, hashBatch } from '../src/orchestration/sequencer/encode.ts'
import { authorizationVectors } from './vectors/authorizations.mjs'
import { emissionVectors } from './vectors/emission.mjs'
import { gaugeVectors } from './vectors/gauges.mjs'
import { securityModelVectors } from './vectors/security-model.mjs'
import { splitVectors } from './vectors/split.mjs'
import { stakeVectors } from './vectors/stake.mjs'
import { vestingVectors } from './vectors/vesting.mjs'

const hash = text => keccak256(Buffer.from(text))
const address = text => `0x${hash(text).slice(-40)}`
const json = value => `${JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? item.toString() : item), 2)}\n`

function batchVector() {
  const row = (account, role, asset, amount) => (BigInt(address(account)) << 96n) | (role << 92n) | (asset << 88n) | amount
  const ascending = rows => rows.sort((a, b) => (a < b ? -1 : 1))
  const batch = {
    number: 7,
    previousHash: hash('previous'),
    receiptsRoot: hash('root'),
    jobCount: 1000,
    openHeu: 10n ** 18n + 3n,
    openUsd: 4_999_999n,
    debits: ascending([
      row('payer one', 0n, 0n, 10n ** 18n),
      row('payer one', 0n, 1n, 5_000_000n),
      row('payer two', 0n, 0n, 2n ** 88n - 1n),
    ]),
    credits: ascending([0n, 1n, 2n, 3n, 4n].map(role => row(`earner ${role}`, role, role % 2n, 10n ** 15n + role))),
  }
  return { ...batch, batchHash: hashBatch(batch), calldata: encodeSettle(batch) }
}

function receipt(index) {
  return {
    jobId: `job_${'0'.repeat(24)}${(4096 + index).toString(16).padStart(8, '0')}`,
    podId: hash('pod'),
    manifestHash: hash('manifest'),
    requestHash: hash(`request ${index}`),
    outputHash: hash(`output ${index}`),
    seedCommitment: hash('seed'),
    decisionHash: hash('decision'),
    inputUnits: 100 + index,
    outputUnits: 2000 + index,
    asset: address('asset'),
    price: 123_456_789_000_000_000n + BigInt(index),
    payer: address('payer'),
    frontend: index % 2 ? address('frontend') : '0x0000000000000000000000000000000000000000',
    node: address('node'),
    leaseId: hash(`lease ${index}`),
    attempt: 1 + (index % 3),
    fencingToken: 42 + index,
    startedAtMs: 1_800_000_000_000 + index,
    finishedAtMs: 1_800_000_001_000 + index,
    routeClass: index % 4,
    computeUnits: 1_024_000 + index,
  }
}

function receiptVectors() {
  const chainId = 31_337
  const settlement = address('settlement')
  const separator = domainSeparator(jobDomain(chainId, settlement))
  const receipts = [...Array(5).keys()].map(receipt)
  const digests = receipts.map(item => receiptLeaf(separator, item))
  const tree = SimpleMerkleTree.of(digests)
  return {
    chainId,
    settlement,
    domainSeparator: bytesToHex(separator),
    receipt: { ...receipts[1], jobId: jobIdToBytes32(receipts[1].jobId) },
    digests,
    root: tree.root,
    proofs: digests.map((_, index) => ({ path: tree.getProof(index) })),
  }
}

/** @returns {Promise<Map<string, string>>} Path in the repository -> content. */
export async function generateVectors() {
  return new Map([
    ['vectors/split.json', json(splitVectors())],
    ['vectors/batch.json', json(batchVector())],
    ['vectors/receipts.json', json(receiptVectors())],
    ['vectors/authorizations.json', json(await authorizationVectors())],
    ['vectors/emission.json', json(emissionVectors())],
    ['vectors/gauges.json', json(gaugeVectors())],
    ['vectors/stake.json', json(stakeVectors())],
    ['vectors/vesting.json', json(vestingVectors())],
    ['vectors/security-model.json', json(securityModelVectors())],
  ])
}
