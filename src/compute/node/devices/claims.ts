import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import type { Clock } from '#platform'
import { type Device, gpusOf } from '#protocol'

/** What this node got, and why not the rest, for the log. */
export type Taken = { readonly devices: readonly Device[]; readonly notes: readonly string[] }

const WHOLE_BPS = 10_000
const TABLE = '/proc/net/unix'
const CLAIM = /@heurist-gpu-([0-9a-f]{24})-(\d+)-(\d+)-\d+$/
const TURN = '\0heurist-gpu-turn'
const TURN_EVERY_MS = 20
/** Whoever has the turn needs a millisecond; one that was stopped in it must not stop the others. */
const TURN_TRIES = 250

let nextClaim = 0

/**
 * Which part of each GPU a node of this machine has. The memory of a GPU is counted by the node that places pods on it, so what one node offers
 * no other may. A claim is the name of a unix socket in the kernel's table: nobody holds one twice, every process can read them all, and it is gone
 * with its process, however that ends. Only Linux has such names; nodes in containers of their own do not see each other.
 */
export class GpuClaims {
  readonly #clock: Pick<Clock, 'after'>
  #held: Server[] = []

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock
  }

  /** Takes what is free of these devices; of a GPU all that is asked for or nothing. */
  async take(devices: readonly Device[]): Promise<Taken> {
    if (process.platform !== 'linux' || partsOf(devices).size === 0) return { devices, notes: [] }
    const turn = await this.#turn()
    try {
      const refusals = refusalsOf(partsOf(devices), claims())
      const taken = devices.filter(device => gpusOf(device).every(gpu => !refusals.has(gpu)))
      for (const [gpu, bps] of partsOf(taken)) {
        const claim = await listen(`\0heurist-gpu-${digest(gpu)}-${bps}-${process.pid}-${nextClaim++}`)
        if (claim) this.#held.push(claim)
      }
      return { devices: taken, notes: [...refusals.values()] }
    } finally {
      turn?.close()
    }
  }

  release(): void {
    for (const claim of this.#held.splice(0)) claim.close()
  }

  /** One node after another looks and takes. */
  async #turn(): Promise<Server | null> {
    for (let tries = 0; tries < TURN_TRIES; tries++) {
      const turn = await listen(TURN)
      if (turn) return turn
      await new Promise<void>(resolve => this.#clock.after(TURN_EVERY_MS, resolve))
    }
    return null
  }
}

type Claim = { readonly gpu: string; readonly bps: number; readonly pid: number }

/** What is asked for of each GPU, in basis points, over all devices on it. */
function partsOf(devices: readonly Device[]): Map<string, number> {
  const parts = new Map<string, number>()
  for (const device of devices) for (const gpu of gpusOf(device)) parts.set(gpu, (parts.get(gpu) ?? 0) + device.shareBps)
  return parts
}

function refusalsOf(parts: ReadonlyMap<string, number>, others: readonly Claim[]): Map<string, string> {
  const refusals = new Map<string, string>()
  for (const [gpu, bps] of parts) {
    const holders = others.filter(claim => claim.gpu === digest(gpu))
    const held = holders.reduce((sum, claim) => sum + claim.bps, 0)
    if (bps + held <= WHOLE_BPS) continue
    const processes = holders.map(({ pid }) => pid).join(', ')
    refusals.set(
      gpu,
      `${gpu}: ${held / 100} % of it are offered by another node of this machine (process ${processes}), so it is not used here for ${bps / 100} %. Give each node a share of it (--share), or keep it from one (--gpu ${gpu}=off).`,
    )
  }
  return refusals
}

function claims(): Claim[] {
  return readFileSync(TABLE, 'utf8')
    .split('\n')
    .flatMap(line => {
      const [, gpu = '', bps, pid] = CLAIM.exec(line) ?? []
      return bps === undefined ? [] : [{ gpu, bps: Number(bps), pid: Number(pid) }]
    })
}

/** Ids are longer than names of sockets may be. */
function digest(gpu: string): string {
  return createHash('sha256').update(gpu).digest('hex').slice(0, 24)
}

/** Null when the name is taken. It does not keep the process alive. */
function listen(name: string): Promise<Server | null> {
  return new Promise(resolve => {
    const server = createServer(socket => socket.destroy())
    server.unref()
    server.once('error', () => resolve(null)).listen(name, () => resolve(server))
  })
}
