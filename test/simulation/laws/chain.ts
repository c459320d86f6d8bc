import type { BatchRef, Chain, ChainReceipt } from '#platform'
import { type Address, type Bytes32, HeuristError, keccak256, ZERO_BYTES32 } from '#protocol'
import { decodeSettle, hashBatch, type SettleBatch } from '../../../src/orchestration/sequencer/encode.ts'
import type { Chance } from './chance.ts'
import type { Schedule } from './schedule.ts'

export const CHAIN_ID = 31_337
export const SETTLEMENT: Address = '0x5e77000000000000000000000000000000000001'
export const HEU: Address = '0x00000000000000000000000000000000000000bb'
export const USD: Address = '0x00000000000000000000000000000000000000aa'

type Block = { readonly batch: SettleBatch; readonly hash: Bytes32; readonly transactionHash: Bytes32; readonly blockNumber: number }

export type ChainWatcher = { settled(batch: SettleBatch): void; lost(batch: SettleBatch): void }

/** A settlement chain that takes batches by the contract's rules, answers late or not at all, and can lose its last block. */
export class SimulatedChain {
  readonly #schedule: Schedule
  readonly #chance: Chance
  readonly #watcher: ChainWatcher
  readonly #blocks: Block[] = []
  #pending = 0
  #heights = 0
  #awayUntilMs = 0
  /** Answers may get lost while this is on. */
  isUnsteady = false

  constructor(schedule: Schedule, chance: Chance, watcher: ChainWatcher) {
    this.#schedule = schedule
    this.#chance = chance
    this.#watcher = watcher
  }

  goAway(forMs: number): void {
    this.#awayUntilMs = this.#schedule.now() + forMs
  }

  comeBack(): void {
    this.#awayUntilMs = 0
    this.isUnsteady = false
  }

  loseLastBlock(): void {
    const block = this.#blocks.pop()
    if (block) this.#watcher.lost(block.batch)
  }

  get batches(): readonly SettleBatch[] {
    return this.#blocks.map(({ batch }) => batch)
  }

  /** What a sequencer sees of it. */
  port(isAlive: () => boolean): Chain {
    const port: Partial<Chain> = {
      chainId: CHAIN_ID,
      contracts: { WrappedHeu: HEU, DevUsd: USD, JobSettlement: SETTLEMENT } as Chain['contracts'], // cast: those that a sequencer asks for
      lastBatch: () => this.#answer(isAlive, () => this.#tip()),
      batchEvent: number => this.#answer(isAlive, () => this.#event(number)),
      hasPending: () => this.#answer(isAlive, () => this.#pending > 0),
      simulateSettle: (_, calldata) => this.#answer(isAlive, () => this.#check(decodeSettle(calldata))),
      settle: (_, calldata, options) => this.#settle(isAlive, decodeSettle(calldata), options?.onSent),
      read: (() => this.#answer(isAlive, () => 10n ** 17n)) as Chain['read'], // cast: the price of HEU is all that is read
    }
    return port as Chain // cast: a sequencer uses no more of it
  }

  #answer<T>(isAlive: () => boolean, value: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#schedule.after(this.#chance.between(1, 20), () => {
      if (!isAlive()) return
      try {
        this.#demandHere()
        resolve(value())
      } catch (error) {
        reject(error)
      }
    })
    return promise
  }

  #demandHere(): void {
    const isAway = this.#schedule.now() < this.#awayUntilMs
    if (isAway || (this.isUnsteady && this.#chance.happens(0.2)))
      throw new HeuristError('CHAIN_UNAVAILABLE', 'The simulated chain does not answer.', { retryable: true })
  }

  #tip(): BatchRef {
    const last = this.#blocks.at(-1)
    return last ? { number: last.batch.number, hash: last.hash } : { number: 0, hash: ZERO_BYTES32 }
  }

  #event(number: number): Awaited<ReturnType<Chain['batchEvent']>> {
    const block = this.#blocks[number - 1]
    if (!block) return null
    const { batch, hash, transactionHash, blockNumber } = block
    const { receiptsRoot, jobCount } = batch
    return { number, batchHash: hash, receiptsRoot, contentHash: ZERO_BYTES32, jobCount, transactionHash, blockNumber, gasUsed: 1 }
  }

  /** @throws HeuristError CHAIN_REVERTED */
  #check(batch: SettleBatch): void {
    const tip = this.#tip()
    const revert = (error: string): never => {
      throw new HeuristError('CHAIN_REVERTED', error, { payload: { error, args: [] } })
    }
    if (batch.number !== tip.number + 1) revert('JobSettlement_WrongNumber')
    if (batch.previousHash !== tip.hash) revert('JobSettlement_WrongPredecessor')
  }

  async #settle(
    isAlive: () => boolean,
    batch: SettleBatch,
    onSent?: (transactionHash: Bytes32) => void | Promise<void>,
  ): Promise<ChainReceipt> {
    await this.#answer(isAlive, () => undefined)
    const transactionHash = keccak256(`transaction ${++this.#heights}`)
    const mined = this.#mine(batch, transactionHash)
    mined.catch(() => undefined)
    await onSent?.(transactionHash)
    const receipt = await mined
    await this.#answer(isAlive, () => undefined)
    return receipt
  }

  /** A transaction that was sent is mined whether its sender lives or not. */
  #mine(batch: SettleBatch, transactionHash: Bytes32): Promise<ChainReceipt> {
    this.#pending += 1
    const { promise, resolve, reject } = Promise.withResolvers<ChainReceipt>()
    this.#schedule.after(this.#chance.between(50, 1_000), () => {
      this.#pending -= 1
      try {
        this.#check(batch)
      } catch (error) {
        return reject(error)
      }
      const blockNumber = ++this.#heights
      this.#blocks.push({ batch, hash: hashBatch(batch), transactionHash, blockNumber })
      this.#watcher.settled(batch)
      resolve({ transactionHash, blockNumber, blockHash: transactionHash, gasUsed: 1 })
    })
    return promise
  }
}
