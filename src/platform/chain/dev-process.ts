import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { HeuristError, messageOf } from '#protocol'
import type { Clock } from '../clock.ts'
import { anvilBinary } from './dev-binary.ts'
import type { Loadable } from './dev-state.ts'
import { pause } from './pause.ts'
import type { ChainErrorCode } from './port.ts'

const START_TIMEOUT_MS = 15_000
const START_POLL_MS = 20
/** Old world states are only asked for around a re-org; all blocks, transactions and events are kept. */
const KEPT_STATES = 64
const IDLE_BLOCK_SECONDS = 3_600
/** More than everything that a deployment sends at once. */
const BLOCK_GAS_LIMIT = 1_000_000_000

/** One JSON-RPC call to the dev chain's own methods. */
export async function devRpc(rpcUrl: string, method: string, params: readonly unknown[] = []): Promise<unknown> {
  const answer = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(30_000),
  })
  const { result, error } = (await answer.json()) as { result?: unknown; error?: { message: string } } // cast: JSON-RPC's envelope
  if (error) throw new Error(`${method}: ${error.message}`)
  return result
}

export type AnvilProcess = { readonly child: ChildProcess; readonly pid: number; readonly rpcUrl: string }

/**
 * Starts anvil and resolves when it answers. The state is read before it listens: whoever asks sees the whole chain or none.
 * @throws HeuristError CHAIN_START_FAILED
 */
export async function startAnvil(
  options: { port: number; chainId: number; load: Loadable | null; coinbase: string; idleBlockSeconds?: number },
  clock: Clock,
): Promise<AnvilProcess> {
  const parameters = [
    ...['--host', '127.0.0.1', '--port', String(options.port), '--chain-id', String(options.chainId)],
    // Free gas by default: a base fee would be burned, and HEU must not be.
    ...['--accounts', '0', '--block-base-fee-per-gas', '0', '--silent'],
    // Transactions that do not fit into a block stay behind until another one comes, and after the last one none does.
    ...['--gas-limit', String(BLOCK_GAS_LIMIT)],
    ...['--prune-history', String(KEPT_STATES), '--no-request-size-limit'],
    // Each transaction gets its block at once. A chain that nobody uses still has to tell the time: epochs and delays end by it.
    ...['--block-time', String(options.idleBlockSeconds ?? IDLE_BLOCK_SECONDS), '--mixed-mining'],
    ...(options.load ? loadParameters(options.load, clock) : []),
  ]
  // Its own process group: Ctrl-C in the terminal must not end the chain before the last batch is posted.
  const child = spawn(anvilBinary(), parameters, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
  let complaint = ''
  child.stderr?.on('data', chunk => {
    complaint = `${complaint}${chunk}`.slice(-2_000)
  })
  child.on('error', error => {
    complaint = messageOf(error)
  })
  const rpcUrl = `http://127.0.0.1:${options.port}`
  try {
    await answering(child, rpcUrl, clock)
    await devRpc(rpcUrl, 'anvil_setCoinbase', [options.coinbase])
  } catch (cause) {
    child.kill('SIGKILL')
    const reason = complaint.trim() || messageOf(cause)
    throw new HeuristError<ChainErrorCode>('CHAIN_START_FAILED', `The dev chain did not start on port ${options.port}: ${reason}`, {
      retryable: true,
      cause,
    })
  }
  return { child, pid: child.pid ?? 0, rpcUrl }
}

/** A snapshot has no clock: without the timestamp, a chain whose time was moved on would go on in its own past. */
function loadParameters({ file, headSeconds }: Loadable, clock: Clock): string[] {
  const isAhead = headSeconds > clock.now() / 1_000
  return ['--load-state', file, ...(isAhead ? ['--timestamp', String(headSeconds)] : [])]
}

async function answering(child: ChildProcess, rpcUrl: string, clock: Clock): Promise<void> {
  const tries = START_TIMEOUT_MS / START_POLL_MS
  for (let attempt = 0; attempt < tries; attempt++) {
    if (child.pid === undefined || child.exitCode !== null) throw new Error(`anvil ended with exit code ${child.exitCode}`)
    const up = await devRpc(rpcUrl, 'eth_chainId').then(
      () => true,
      () => false,
    )
    if (up) return
    await pause(clock, START_POLL_MS)
  }
  throw new Error(`anvil did not answer within ${START_TIMEOUT_MS / 1_000} s`)
}

/** Ends the process and resolves when it is gone. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  // The state is on disk already, and SIGTERM would make anvil wait for idle connections.
  child.kill('SIGKILL')
  await gone
}
