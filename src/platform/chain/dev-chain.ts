import { type Address, type Hex, isHeuristError, messageOf } from '#protocol'
import type { Clock } from '../clock.ts'
import { freePort } from '../free-port.ts'
import type { Logger } from '../logger.ts'
import type { Watchdog } from '../watchdog.ts'
import { type AnvilProcess, devRpc, endProcess, startAnvil } from './dev-process.ts'
import { type Loadable, loadState, saveState, withLoadable } from './dev-state.ts'
import { pause } from './pause.ts'

export const DEV_CHAIN_ID = 31_337
/** 1,000,000,000 HEU in wei: the whole supply (DESIGN §6.1). */
export const GENESIS_SUPPLY_WEI = 1_000_000_000n * 10n ** 18n

const HEAD_POLL_MS = 250
const SNAPSHOT_INTERVAL_MS = 1_000
/** A large chain is written less often, so that snapshots take at most a tenth of the time. */
const SNAPSHOT_SHARE = 10
const RESTARTS_PER_MINUTE = 5
const RETRY_MS = 500

export type DevChainOptions = {
  /** Where the state is kept. Beside it stand `.previous` (the snapshot before) and, for moments, `.partial`. */
  readonly stateFile: string
  /** Wanted port; another one is taken when it is busy. 0: any. Default 8545. */
  readonly port?: number
  readonly chainId?: number
  /** Gets the whole genesis supply of native HEU on the very first start. */
  readonly treasury: Address
  /** Gets the gas fees, until {@link DevChain.setFeeVault} names another. */
  readonly feeVault: Address
  /** Writes snapshots by itself while the chain moves (default); false: only when asked to, and at the end. */
  readonly autosave?: boolean
  /** Seconds between blocks that are empty unless a transaction came; default an hour. */
  readonly idleBlockSeconds?: number
}
export type DevChainDependencies = { readonly clock: Clock; readonly logger: Logger; readonly watchdog?: Watchdog }

export type DevChain = {
  readonly rpcUrl: string
  readonly port: number
  readonly chainId: number
  /** True when this start created the chain. */
  readonly created: boolean
  /** Of the running process; changes when it had to be restarted. */
  readonly pid: number
  /** The newest block on disk: it and everything below survive a kill -9. */
  finalBlock(): number
  /** Writes a snapshot now; resolves with the block that is on disk. */
  persist(): Promise<number>
  /** Names who gets the gas fees from now on, also after a restart of the process. */
  setFeeVault(feeVault: Address): Promise<void>
  /** Calls `listener` when the process died and could not be brought back. */
  onExit(listener: (reason: string) => void): void
  /** Writes a last snapshot and ends the process. */
  stop(): Promise<void>
}

/**
 * The dev chain: anvil with its state kept in one file. A process that dies is started again on the same port from the
 * last snapshot; it may have lost the blocks above {@link DevChain.finalBlock}.
 * @throws HeuristError CHAIN_STATE_CORRUPT, CHAIN_START_FAILED
 * @example const devChain = await startDevChain({ stateFile, treasury, feeVault }, { clock, logger })
 */
export async function startDevChain(options: DevChainOptions, dependencies: DevChainDependencies): Promise<DevChain> {
  const state = await loadState(options.stateFile)
  const port = await freePort(options.port ?? 8545)
  if (options.port && port !== options.port) {
    dependencies.logger.warn({ wanted: options.port, port }, 'the port of the dev chain is taken; using another one')
  }
  const devChain = new AnvilChain(options, { port, created: state === null }, dependencies)
  await devChain.start(state)
  return devChain
}

/** Its face is made of arrow functions: they are passed around as plain functions. */
class AnvilChain implements DevChain {
  readonly rpcUrl: string
  readonly port: number
  readonly chainId: number
  readonly created: boolean
  readonly #options: DevChainOptions
  readonly #dependencies: DevChainDependencies
  readonly #exitListeners: ((reason: string) => void)[] = []
  #feeVault: Address
  #anvil: AnvilProcess | null = null
  #finalBlock = 0
  #stopping = false
  /**
   * Snapshots and new processes take turns: a snapshot that began with one process and ended with another would be written over
   * everybody's money.
   */
  #turn: Promise<unknown> = Promise.resolve()
  #lastSaveMs = 0
  #deathsAtMs: number[] = []

  constructor(options: DevChainOptions, place: { port: number; created: boolean }, dependencies: DevChainDependencies) {
    this.#options = options
    this.#feeVault = options.feeVault
    this.#dependencies = dependencies
    this.port = place.port
    this.created = place.created
    this.chainId = options.chainId ?? DEV_CHAIN_ID
    this.rpcUrl = `http://127.0.0.1:${place.port}`
  }

  get pid(): number {
    return this.#anvil?.pid ?? 0
  }

  readonly finalBlock = (): number => {
    return this.#finalBlock
  }

  readonly onExit = (listener: (reason: string) => void): void => {
    this.#exitListeners.push(listener)
  }

  readonly setFeeVault = async (feeVault: Address): Promise<void> => {
    this.#feeVault = feeVault
    await devRpc(this.rpcUrl, 'anvil_setCoinbase', [feeVault])
  }

  /** Runs the process on the given state, or on the genesis when there is none. */
  async start(state: Hex | null): Promise<void> {
    await this.#launch(state)
    if (state === null) {
      await devRpc(this.rpcUrl, 'anvil_setBalance', [this.#options.treasury, `0x${GENESIS_SUPPLY_WEI.toString(16)}`])
      await this.persist()
    } else this.#finalBlock = await this.#headNumber()
    if (this.#options.autosave !== false) void this.#keepSaving()
  }

  /** One snapshot at a time; a caller that comes during one gets the next. */
  readonly persist = (): Promise<number> => {
    const { clock } = this.#dependencies
    return this.#inTurn(async () => {
      const startedMs = clock.now()
      // Asked before the snapshot is taken: it has this block for certain, and maybe a newer one.
      const block = await this.#headNumber()
      await saveState(this.rpcUrl, this.#options.stateFile)
      this.#finalBlock = block
      this.#lastSaveMs = clock.now() - startedMs
      return block
    })
  }

  readonly stop = async (): Promise<void> => {
    if (this.#stopping) return
    await this.persist().catch(error =>
      this.#dependencies.logger.error({ err: messageOf(error) }, 'the last snapshot of the dev chain failed'),
    )
    this.#stopping = true
    if (!this.#anvil) return
    await endProcess(this.#anvil.child)
    this.#dependencies.watchdog?.unwatch(this.#anvil.pid)
  }

  async #launch(state: Hex | null): Promise<void> {
    const { clock, watchdog } = this.#dependencies
    const { idleBlockSeconds } = this.#options
    const run = (load: Loadable | null): Promise<AnvilProcess> =>
      startAnvil(
        { port: this.port, chainId: this.chainId, load, coinbase: this.#feeVault, ...(idleBlockSeconds && { idleBlockSeconds }) },
        clock,
      )
    const anvil = await (state === null ? run(null) : withLoadable(state, this.#options.stateFile, run))
    this.#anvil = anvil
    watchdog?.watch(anvil.pid)
    anvil.child.once('exit', (code, signal) => {
      watchdog?.unwatch(anvil.pid)
      if (!this.#stopping) void this.#revive(`exit code ${code}, signal ${signal}`)
    })
  }

  async #revive(reason: string): Promise<void> {
    const { clock, logger } = this.#dependencies
    const nowMs = clock.now()
    this.#deathsAtMs = [...this.#deathsAtMs.filter(atMs => atMs > nowMs - 60_000), nowMs]
    if (this.#deathsAtMs.length > RESTARTS_PER_MINUTE) {
      this.#giveUp(`The dev chain died ${this.#deathsAtMs.length} times within a minute (${reason}).`)
      return
    }
    logger.warn({ reason, finalBlock: this.#finalBlock }, 'the dev chain died; starting it again from its last snapshot')
    try {
      await this.#inTurn(async () => {
        if (!this.#stopping) await this.#launch(await loadState(this.#options.stateFile))
      })
      if (this.#stopping && this.#anvil) await endProcess(this.#anvil.child)
    } catch (error) {
      if (isHeuristError(error, 'CHAIN_STATE_CORRUPT')) return this.#giveUp(messageOf(error))
      await pause(clock, RETRY_MS)
      await this.#revive(messageOf(error))
    }
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work, work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  #giveUp(reason: string): void {
    this.#dependencies.logger.error({ reason }, 'the dev chain is not started again')
    for (const listener of this.#exitListeners) listener(reason)
  }

  async #headNumber(): Promise<number> {
    return Number(await devRpc(this.rpcUrl, 'eth_blockNumber'))
  }

  async #keepSaving(): Promise<void> {
    const { clock, logger } = this.#dependencies
    while (!this.#stopping) {
      await pause(clock, HEAD_POLL_MS)
      try {
        if (this.#stopping || (await this.#headNumber()) === this.#finalBlock) continue
        await this.persist()
        await pause(clock, Math.max(SNAPSHOT_INTERVAL_MS, this.#lastSaveMs * SNAPSHOT_SHARE) - HEAD_POLL_MS)
      } catch (error) {
        if (!this.#stopping) logger.warn({ err: messageOf(error) }, 'no snapshot of the dev chain was taken; trying again')
      }
    }
  }
}
