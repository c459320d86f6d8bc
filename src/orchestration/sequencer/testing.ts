import { splitPayment } from '#economics'
import {
  type Chain,
  createMetrics,
  createSigner,
  type Database,
  type Metrics,
  newPrivateKey,
  type Signer,
  type StoredReceipt,
  signAlone,
  silentLogger,
  systemClock,
} from '#platform'
import { deposit, setSpendingCap } from '#platform/chain'
import { startTestChain, type TestChain } from '#platform/chain/testing'
import { createTestDatabase, type TestDatabase } from '#platform/database/testing'
import {
  type Address,
  bytesToHex,
  domainSeparator,
  jobDomain,
  jobIdFrom,
  keccak256,
  type Receipt,
  receiptDigest,
  type SignedReceipt,
  ZERO_ADDRESS,
} from '#protocol'
import type { SequencerOptions } from './options.ts'
import { createSequencer, type Sequencer } from './sequencer.ts'

const FAR_SECONDS = 4_000_000_000
/** One stablecoin dollar in micro-dollars. */
export const USD = 1_000_000n

/** A real chain, a real database, and people who pay and earn on them. */
export type SettlementWorld = {
  readonly testChain: TestChain
  readonly testDatabase: TestDatabase
  readonly receipts: ReceiptFactory
  sequencer(options?: Partial<SequencerOptions>, overrides?: { chain?: Chain; database?: Database; metrics?: Metrics }): Sequencer
  /** An account with a deposit and a spending cap, in micro-dollars. `capEndsAtSeconds`: unix time. */
  payer(money: { deposit: bigint; cap?: bigint; capEndsAtSeconds?: number }): Promise<Signer>
  /** Commits succeeded jobs of the account, each of this price. Oldest first. */
  jobs(payer: Signer, prices: readonly bigint[]): Promise<Omit<StoredReceipt, 'sequence' | 'batchNumber'>[]>
  vaultUsd(account: Address): Promise<bigint>
  stop(): Promise<void>
}

/** @param options whether the chain is written down by itself; tests that take it away may want to say when */
export async function createSettlementWorld(options: Parameters<typeof startTestChain>[0] = {}): Promise<SettlementWorld> {
  const testChain = await startTestChain(options)
  const testDatabase = await createTestDatabase().catch(async error => {
    await testChain.stop()
    throw error
  })
  const { chain, contracts, treasury } = testChain
  const receipts = createReceiptFactory(
    { chainId: chain.chainId, settlement: contracts.JobSettlement },
    { deployer: createSigner(newPrivateKey()).address, protocol: contracts.Buyback },
  )
  return {
    testChain,
    testDatabase,
    receipts,
    sequencer: (options = {}, overrides = {}) =>
      createSequencer(
        { maxAgeMs: 50, pollMs: 20, backoffMs: 20, maxBackoffMs: 200, ...options },
        {
          batches: (overrides.database ?? testDatabase.database).batches,
          chain: overrides.chain ?? chain,
          signer: testChain.sequencer,
          clock: systemClock,
          logger: silentLogger,
          metrics: overrides.metrics ?? createMetrics(),
        },
      ),
    async payer(money) {
      const payer = createSigner(newPrivateKey())
      const asset = contracts.DevUsd
      const cumulativeCap = money.cap ?? money.deposit
      if (money.deposit > 0n) await deposit(chain, treasury, { asset, amount: money.deposit, account: payer.address })
      const expiresAtSeconds = money.capEndsAtSeconds ?? FAR_SECONDS
      if (cumulativeCap > 0n) await setSpendingCap(chain, treasury, { account: payer, asset, cumulativeCap, expiresAtSeconds })
      return payer
    },
    async jobs(payer, prices) {
      const made = prices.map(price => receipts.make({ payer: payer.address, asset: contracts.DevUsd, price }))
      for (const receipt of made) await storeReceipts(testDatabase.database, [receipt])
      return made
    },
    vaultUsd: account => chain.vaultBalance(account, contracts.DevUsd),
    async stop() {
      await testDatabase.stop()
      await testChain.stop()
    },
  }
}

/** Real, signed receipts for tests of settlement. */
export type ReceiptFactory = {
  readonly node: Signer
  readonly separator: Uint8Array
  readonly router: Signer
  make(job: {
    payer: Address
    asset: Address
    price: bigint
    finishedAtMs?: number
    routeClass?: number
  }): Omit<StoredReceipt, 'sequence' | 'batchNumber'>
}

export function createReceiptFactory(
  place: { chainId: number; settlement: Address },
  accounts: { deployer: Address; protocol: Address },
): ReceiptFactory {
  const node = createSigner(newPrivateKey())
  const router = createSigner(newPrivateKey())
  const separator = domainSeparator(jobDomain(place.chainId, place.settlement))
  const hash = (text: string) => keccak256(text)
  let count = 0
  return {
    node,
    separator,
    router,
    make({ payer, asset, price, finishedAtMs = 1_700_000_000_000, routeClass = 0 }) {
      count++
      const jobId = jobIdFrom(Buffer.from(keccak256(`${node.address}${count}`).slice(2, 34), 'hex'))
      const receipt: Receipt = {
        jobId,
        podId: hash('pod'),
        manifestHash: hash('manifest'),
        requestHash: hash(`request ${count}`),
        outputHash: hash(`output ${count}`),
        seedCommitment: hash('seed'),
        decisionHash: hash('decision'),
        inputUnits: 10,
        outputUnits: 20,
        asset,
        price,
        payer,
        frontend: ZERO_ADDRESS,
        node: node.address,
        leaseId: hash(`lease ${count}`),
        attempt: 1,
        fencingToken: count,
        startedAtMs: finishedAtMs - 100,
        finishedAtMs,
        routeClass,
        computeUnits: 100,
      }
      const digest = receiptDigest(separator, receipt)
      const signed: SignedReceipt = {
        receipt,
        nodeSignature: signAlone(node, separator, digest),
        routerSignature: signAlone(router, separator, digest),
        router: router.address,
      }
      const parties = { node: node.address, deployer: accounts.deployer, frontend: null, voters: null, protocol: accounts.protocol }
      return { jobId, signed, digest: bytesToHex(digest), split: splitPayment(price, parties) }
    },
  }
}

/** Commits succeeded jobs with these receipts, as the gateway does. */
export async function storeReceipts(
  database: Database,
  receipts: readonly Omit<StoredReceipt, 'sequence' | 'batchNumber'>[],
): Promise<void> {
  await Promise.all(
    receipts.map(({ jobId, signed, digest, split }) => {
      const { receipt } = signed
      const { podId, payer, frontend, asset, price, startedAtMs, finishedAtMs } = receipt
      return database.jobs.finish({
        start: {
          jobId,
          kind: 'chat',
          model: 'test',
          podId,
          payer,
          frontend,
          keyId: 'key',
          asset,
          maxPrice: price,
          createdAtMs: startedAtMs,
          ownerEpoch: 'test',
        },
        state: 'succeeded',
        nodeId: receipt.node,
        attempts: 1,
        price,
        credits: 0n,
        inputUnits: receipt.inputUnits,
        outputUnits: receipt.outputUnits,
        errorCode: null,
        errorMessage: null,
        finishedAtMs,
        timeline: [],
        decisions: [],
        receipt: { signed, digest, split },
        discard: null,
        ledger: [],
      })
    }),
  )
}
