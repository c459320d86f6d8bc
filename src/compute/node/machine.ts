import type { Clock, Logger, Random } from '#platform'
import { type Device, type EngineName, messageOf } from '#protocol'
import type { Engine } from '../pod/engines/engine.ts'
import { CPU_KERNEL, DeviceBenchmark, type Measured, measureCpu } from './devices/benchmark.ts'
import type { GpuClaims } from './devices/claims.ts'
import type { RunCommand } from './devices/command.ts'
import { detectDevices } from './devices/detect.ts'
import { DeviceList } from './devices/list.ts'
import { type Offer, parseOffer } from './devices/offers.ts'
import { type MinimumPrice, parseMinimumPrice } from './devices/prices.ts'
import { measureAgain } from './devices/repetition.ts'
import { watchUtilization } from './devices/utilization.ts'
import { DutyCycle } from './duty-cycle.ts'
import type { Journal } from './journal.ts'

export type MachineOptions = {
  /** Part of each device that this node may use, in basis points. */
  readonly shareBps?: number
  /** How the GPUs are offered, in words (`parseOffer`): "slices:4", "0,1=group". Nothing: whole. */
  readonly offers?: readonly string[]
  /** The least that the owner works for, in words (`parseMinimumPrice`): "5", "gpu=20", in credits per 1M units. */
  readonly minimumPrices?: readonly string[]
  /** Measure devices and pods again although the journal knows them (`--benchmark`). */
  readonly isBenchmarkForced?: boolean
}
export type MachineDependencies = {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly engines: Readonly<Partial<Record<EngineName, Engine>>>
  readonly journal: Journal
  /** Detection of this machine's devices unless given. */
  readonly detectDevices?: () => Promise<Device[]>
  /** Runs the tools of GPU vendors unless given. */
  readonly run?: RunCommand
  /** What other nodes of this machine have of its GPUs; absent: this node is the only one. */
  readonly claims?: GpuClaims | undefined
  changed(): void
}
/** What goes on beside the measurements. */
export type Surroundings = {
  readonly signal: AbortSignal
  isIdle(): boolean
  /** Measures a replica's speed again. */
  measureReplica(): Promise<void>
}

/** What a node computes on: detects, measures and watches its devices, and holds each to its share. */
export class Machine {
  readonly #options: MachineOptions
  readonly #deps: MachineDependencies
  readonly #offers: readonly Offer[]
  readonly #prices: readonly MinimumPrice[]
  readonly #list: DeviceList
  readonly #benchmark: DeviceBenchmark
  readonly #duties = new Map<string, DutyCycle>()

  /** @throws HeuristError NODE_BAD_OFFER, NODE_BAD_PRICE */
  constructor(options: MachineOptions, dependencies: MachineDependencies) {
    this.#options = options
    this.#deps = dependencies
    this.#offers = (options.offers ?? []).map(parseOffer)
    this.#prices = (options.minimumPrices ?? []).map(parseMinimumPrice)
    this.#list = new DeviceList(dependencies.changed)
    const { journal, clock } = dependencies
    this.#benchmark = new DeviceBenchmark({ journal, now: () => clock.now(), measure: device => this.#measure(device) })
  }

  devices(): readonly Device[] {
    return this.#list.now()
  }

  /** Detects the devices, takes those that no other node has, and measures those whose figure is not known. */
  async open(): Promise<void> {
    const { clock, engines } = this.#deps
    const { isBenchmarkForced: isForced = false } = this.#options
    const found = await this.#found()
    for (const engine of Object.values(engines)) await engine.prepare?.(found)
    const devices: Device[] = []
    // One after another: two at once would measure each other.
    for (const device of found) devices.push(await this.#benchmark.register(device, { isForced }))
    for (const device of devices) this.#duties.set(device.id, new DutyCycle(device.shareBps, clock))
    this.#list.set(devices)
  }

  /** Other nodes of this machine may have its GPUs now. */
  close(): void {
    this.#deps.claims?.release()
  }

  /** Follows how busy the GPUs are, and measures devices and replicas again at times that nobody knows, while nothing else runs. */
  watch({ signal, isIdle, measureReplica }: Surroundings): void {
    const { clock, random, logger, run } = this.#deps
    watchUtilization(this.#list, { clock, signal, ...(run && { run }) })
    const measure = (): Promise<void> => this.#measureAgain(measureReplica)
    const failed = (error: unknown): void =>
      logger.warn({ reason: messageOf(error) }, 'a measurement could not be repeated; the old figure stays')
    measureAgain({ clock, random, signal, isIdle, measure, failed })
  }

  /** Holds leases on the device to its share. */
  dutyOf(deviceId: string): DutyCycle {
    const duty = this.#duties.get(deviceId)
    if (!duty) throw new Error(`device ${deviceId} has no duty cycle`)
    return duty
  }

  async #found(): Promise<readonly Device[]> {
    const { claims, logger, detectDevices: detect = () => this.#detect() } = this.#deps
    const detected = await detect()
    if (!claims) return detected
    const { devices, notes } = await claims.take(detected)
    for (const note of notes) logger.warn(note)
    return devices
  }

  #detect(): Promise<Device[]> {
    const { logger, run } = this.#deps
    const { shareBps = 10_000 } = this.#options
    return detectDevices({ shareBps, offers: this.#offers, prices: this.#prices }, { logger, ...(run && { run }) })
  }

  /** One of the devices or a replica, drawn. */
  async #measureAgain(measureReplica: () => Promise<void>): Promise<void> {
    const devices = this.devices()
    const device = devices[Math.floor(this.#deps.random() * (devices.length + 1))]
    if (!device) return measureReplica()
    const measured = await this.#benchmark.repeat(device)
    if (measured) this.#list.change(each => (each.id === device.id ? { ...each, benchmark: measured.benchmark } : each))
  }

  async #measure(device: Device): Promise<Measured | null> {
    if (device.kind === 'cpu') return { score: measureCpu(), kernel: CPU_KERNEL }
    for (const engine of Object.values(this.#deps.engines)) {
      const measured = await engine.benchmark?.(device).catch(error => {
        this.#deps.logger.warn({ device: device.id, reason: messageOf(error) }, 'the device could not be measured')
        return null
      })
      if (measured) return measured
    }
    return null
  }
}
