import { type Address, messageOf } from '#protocol'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Watchdog } from '../watchdog.ts'
import { type AnvilProcess, devRpc, endProcess, freePort, startAnvil } from './dev-process.ts'
import { loadState, saveState } from './dev-state.ts'
import { pause } from './pause.ts'

export const DEV_CHAIN_ID = 31_337
/** 1,000,000,000 HEU in wei: the whole supply (DESIGN §6.1). */
export const GENESIS_SUPPLY_WEI = 1_000_000_000n * 10n ** 18n

const HEAD_POLL_MS = 250
const SNAPSHOT_INTERVAL_MS = 1_000
/** A large chain is written less often, so that snapshots take at most a tenth of the time. */
const SNAPSHOT_SHARE = 10
const RESTARTS_PER_MINUTE = 5

export type DevChainOptions = {
  /** Where the state is kept. Beside it stand `.previous` (the snapshot before) and, for moments, `.partial`. */
  readonly stateFile: string
  /** Wanted port; another one is taken when it is busy. 0: any. Default 8545. */
  readonly port?: number
  readonly chainId?: number
  /** Gets the whole genesis supply of native HEU on the very first start. */
  readonly treasury: Address
  /** Gets the gas fees. */
  readonly feeVault: Address
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
  const { clock, logger, watchdog } = dependencies
  const chainId = options.chainId ?? DEV_CHAIN_ID
  const state = await loadState(options.stateFile)
  const port = await freePort(options.port ?? 8545)
  if (options.port && port !== options.port)
    logger.warn({ wanted: options.port, port }, 'the port of the dev chain is taken; using another one')

  let anvil: AnvilProcess
  let finalBlock = 0
  let stopping = false
  let saving: Promise<number> = Promise.resolve(0)
  let lastSaveMs = 0
  const deaths: number[] = []
  const exitListeners: ((reason: string) => void)[] = []

  async function launch(from: typeof state): Promise<void> {
    anvil = await startAnvil({ port, chainId, state: from, coinbase: options.feeVault }, clock)
    watchdog?.watch(anvil.pid)
    const { child, pid } = anvil
    child.once('exit', (code, signal) => {
      watchdog?.unwatch(pid)
      if (!stopping) void revive(`exit code ${code}, signal ${signal}`)
    })
  }

  async function headNumber(): Promise<number> {
    return Number(await devRpc(anvil.rpcUrl, 'eth_blockNumber'))
  }

  /** Also restores it when it dies while being restored. */
  async function revive(reason: string): Promise<void> {
    const nowMs = clock.now()
    deaths.push(nowMs)
    if (deaths.filter(atMs => atMs > nowMs - 60_000).length > RESTARTS_PER_MINUTE) {
      logger.error({ reason }, 'the dev chain keeps dying; it is not started again')
      for (const listener of exitListeners) listener(`The dev chain died ${RESTARTS_PER_MINUTE + 1} times within a minute (${reason}).`)
      return
    }
    logger.warn({ reason, finalBlock }, 'the dev chain died; starting it again from its last snapshot')
    try {
      await saving.catch(() => 0)
      if (!stopping) await launch(await loadState(options.stateFile))
      if (stopping) await endProcess(anvil.child)
    } catch (error) {
      for (const listener of exitListeners) listener(messageOf(error))
    }
  }

  /** One snapshot at a time; a caller that comes during one gets the next. */
  function persist(): Promise<number> {
    const next = saving
      .catch(() => 0)
      .then(async () => {
        const startedMs = clock.now()
        const block = await headNumber()
        await saveState(anvil.rpcUrl, options.stateFile)
        finalBlock = block
        lastSaveMs = clock.now() - startedMs
        return block
      })
    saving = next
    return next
  }

  async function keepSaving(): Promise<void> {
    while (!stopping) {
      await pause(clock, HEAD_POLL_MS)
      try {
        if (stopping || (await headNumber()) === finalBlock) continue
        await persist()
        await pause(clock, Math.max(SNAPSHOT_INTERVAL_MS, lastSaveMs * SNAPSHOT_SHARE) - HEAD_POLL_MS)
      } catch (error) {
        if (!stopping) logger.warn({ err: messageOf(error) }, 'no snapshot of the dev chain was taken; trying again')
      }
    }
  }

  await launch(state)
  if (state === null) {
    await devRpc(anvil!.rpcUrl, 'anvil_setBalance', [options.treasury, `0x${GENESIS_SUPPLY_WEI.toString(16)}`])
    await persist()
  } else finalBlock = await headNumber()
  const saver = keepSaving()

  return {
    rpcUrl: `http://127.0.0.1:${port}`,
    port,
    chainId,
    created: state === null,
    get pid() {
      return anvil.pid
    },
    finalBlock: () => finalBlock,
    persist,
    onExit: listener => exitListeners.push(listener),
    async stop() {
      if (stopping) return
      await persist().catch(error => logger.error({ err: messageOf(error) }, 'the last snapshot of the dev chain failed'))
      stopping = true
      await endProcess(anvil.child)
      watchdog?.unwatch(anvil.pid)
      void saver
    },
  }
}
