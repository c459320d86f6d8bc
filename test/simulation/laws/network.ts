import { EventEmitter } from 'node:events'
import type { NodeSocket } from '../../../src/compute/node/link-connection.ts'
import type { LinkSocket } from '../../../src/orchestration/router/link/session.ts'
import type { Chance } from './chance.ts'
import type { Process, Schedule } from './schedule.ts'

const CONNECTING = 0
const OPEN = 1
const CLOSED = 3

/** How badly one node's way to the router treats what travels on it. */
export type Weather = {
  readonly leastDelayMs: number
  readonly mostDelayMs: number
  /** Probabilities, per message. A real WebSocket does none of these; a broken or hostile peer does. */
  readonly loss: number
  readonly duplication: number
  readonly reorder: number
}
export const CALM: Weather = { leastDelayMs: 1, mostDelayMs: 20, loss: 0, duplication: 0, reorder: 0 }
export const STORM: Weather = { leastDelayMs: 1, mostDelayMs: 400, loss: 0.02, duplication: 0.02, reorder: 0.05 }

/** A node's way to the router; cut, nothing arrives until it is healed. */
export class Way {
  weather: Weather
  #held: (() => void)[] = []
  #isCut = false
  /** How often it was cut. */
  cuts = 0

  constructor(weather: Weather) {
    this.weather = weather
  }

  get isCut(): boolean {
    return this.#isCut
  }

  cut(): void {
    this.cuts += 1
    this.#isCut = true
  }

  heal(): void {
    this.#isCut = false
    for (const arrive of this.#held.splice(0)) arrive()
  }

  /** Now, or when the way is healed. */
  pass(arrive: () => void): void {
    if (this.#isCut) this.#held.push(arrive)
    else arrive()
  }
}

/** One end of a simulated WebSocket. */
class End extends EventEmitter {
  readyState = CONNECTING
  readonly OPEN = OPEN
  readonly bufferedAmount = 0
  peer: End | null = null
  readonly #schedule: Schedule
  readonly #owner: Process
  readonly #way: Way
  readonly #chance: Chance
  #lastArrivalMs = 0

  constructor({ schedule, owner, way, chance }: { schedule: Schedule; owner: Process; way: Way; chance: Chance }) {
    super()
    this.#schedule = schedule
    this.#owner = owner
    this.#way = way
    this.#chance = chance
    this.on('error', () => undefined)
  }

  send(data: string | Uint8Array, sent?: (error?: Error) => void): void {
    if (this.readyState !== OPEN || !this.#owner.isAlive) return
    const { loss, duplication, reorder } = this.#way.weather
    sent?.()
    if (this.#chance.happens(loss)) return
    const message = typeof data === 'string' ? data : Buffer.from(data)
    this.#travel(message, this.#chance.happens(reorder))
    if (this.#chance.happens(duplication)) this.#travel(message, true)
  }

  #travel(message: string | Buffer, mayOvertake: boolean): void {
    const { leastDelayMs, mostDelayMs } = this.#way.weather
    const atMs = this.#schedule.now() + this.#chance.between(leastDelayMs, mostDelayMs)
    const arrivalMs = mayOvertake ? atMs : Math.max(atMs, this.#lastArrivalMs)
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivalMs)
    const { peer } = this
    this.#schedule.after(arrivalMs - this.#schedule.now(), () => this.#way.pass(() => peer?.receive(message)))
  }

  receive(message: string | Buffer): void {
    if (this.readyState !== OPEN || !this.#owner.isAlive) return
    this.emit('message', typeof message === 'string' ? Buffer.from(message) : message, typeof message !== 'string')
  }

  ping(): void {
    const { mostDelayMs } = this.#way.weather
    this.#schedule.after(2 * mostDelayMs, () =>
      this.#way.pass(() => {
        if (this.readyState === OPEN && this.peer?.readyState === OPEN && this.#owner.isAlive) this.emit('pong')
      }),
    )
  }

  open(): void {
    this.readyState = OPEN
    if (this.#owner.isAlive) this.emit('open')
  }

  close(code = 1006, reason = ''): void {
    if (this.readyState === CLOSED) return
    this.readyState = CLOSED
    const { peer } = this
    const delayMs = Math.max(this.#lastArrivalMs - this.#schedule.now(), this.#way.weather.leastDelayMs)
    this.#schedule.after(delayMs, () => {
      if (this.#owner.isAlive) this.emit('close', code, Buffer.from(reason))
      this.#way.pass(() => peer?.closedByPeer(code, reason))
    })
  }

  terminate(): void {
    this.close()
  }

  /** The connection breaks: what is under way in either direction is lost, and each end hears of it for itself. */
  sever(): void {
    for (const end of [this, this.peer]) end?.break()
  }

  break(): void {
    if (this.readyState === CLOSED) return
    this.readyState = CLOSED
    this.#schedule.after(this.#chance.between(1, this.#way.weather.mostDelayMs), () => {
      if (this.#owner.isAlive) this.emit('close', 1006, Buffer.alloc(0))
    })
  }

  closedByPeer(code: number, reason: string): void {
    if (this.readyState === CLOSED) return
    this.readyState = CLOSED
    if (this.#owner.isAlive) this.emit('close', code, Buffer.from(reason))
  }
}

export type Listener = { readonly process: Process; acceptLink(socket: LinkSocket): void }

/** Dials the router that listens now, if one does. */
export function dial(
  { schedule, way, chance, owner }: { schedule: Schedule; way: Way; chance: Chance; owner: Process },
  listener: () => Listener | null,
): NodeSocket & { sever(): void } {
  const near = new End({ schedule, owner, way, chance })
  schedule.after(chance.between(1, 2 * way.weather.mostDelayMs), () => {
    const found = listener()
    if (!found || way.isCut) return near.close(1006, 'nobody answers')
    const far = new End({ schedule, owner: found.process, way, chance })
    near.peer = far
    far.peer = near
    far.readyState = OPEN
    found.acceptLink(far as unknown as LinkSocket) // cast: the events and methods that a link uses
    near.open()
  })
  return near as unknown as NodeSocket & { sever(): void } // cast: as above
}
