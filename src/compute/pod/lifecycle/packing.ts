import { type Device, gpusOf, type PodRecord } from '#protocol'

/** A replica that holds a part of a device: it is loaded, loads, or drains. */
export type Tenant = {
  readonly podId: string
  readonly podName: string
  readonly deviceId: string
  /** See {@link trustClassOf}. */
  readonly trust: string
  readonly bytes: number
  /** What it takes of the machine's memory beside that of its GPU; 0 on the CPU, whose memory that is. */
  readonly hostBytes: number
  readonly slots: number
  /** Since when it is idle and may be unloaded for another; null: it stays. */
  readonly idleSinceMs: number | null
}

/** A replica that is to be loaded. */
export type Wish = {
  readonly podId: string
  readonly podName: string
  readonly trust: string
  /** Jobs at once; it takes fewer where fewer are left, and at least one. */
  readonly slots: number
  /** The devices that can hold it and what it takes of each, the best first. */
  readonly options: readonly { readonly deviceId: string; readonly bytes: number; readonly hostBytes: number }[]
}

export type Placed<T> = { readonly deviceId: string; readonly slots: number; readonly evict: readonly T[] }
/** Why each device has no room for it. */
export type Refused = { readonly refusals: ReadonlyMap<string, string> }
export type Outcome<T> = Placed<T> | Refused

/**
 * Who may share a GPU without MIG, where neither memory nor faults are isolated (DESIGN §8, ADR 0024): programs of one deployer, and all pods
 * that bring weights only, since the code that touches the GPU for them is this node's own.
 */
export function trustClassOf({ deployer, manifest }: PodRecord): string {
  return manifest.spec.command ? `programs of ${deployer}` : 'models'
}

/**
 * Places replicas on devices (DESIGN §8): first-fit decreasing by memory. First all that fit beside what is there; then, again the largest
 * first, those for which idle replicas have to go, of which the one that was used longest ago goes first and none in vain. No device ever
 * promises more memory or slots than it has, nor the machine more memory than its CPU has, two trust classes never meet on one GPU without MIG, and who works is never touched.
 * The answer depends on no order but that of a wish's options. @returns outcomes in the order of `wishes`
 */
export function pack<T extends Tenant>(devices: readonly Device[], tenants: readonly T[], wishes: readonly Wish[]): Outcome<T>[] {
  const floor = new Floor(devices, tenants)
  const outcomes = new Map<Wish, Outcome<T>>()
  const order = [...wishes].sort((a, b) => sizeOf(b) - sizeOf(a) || byText(a.podId, b.podId))
  for (const wish of order) {
    const placed = floor.placeBeside(wish)
    if (placed) outcomes.set(wish, placed)
  }
  for (const wish of order) if (!outcomes.has(wish)) outcomes.set(wish, floor.placeInstead(wish) ?? { refusals: floor.refusalsOf(wish) })
  return wishes.map(wish => outcomes.get(wish)!)
}

function sizeOf({ options }: Wish): number {
  return Math.max(0, ...options.map(({ bytes }) => bytes))
}

type Option = { readonly device: Device; readonly bytes: number; readonly hostBytes: number }

/** The devices and who is on them while a round of placing goes on. */
class Floor<T extends Tenant> {
  readonly #devices: ReadonlyMap<string, Device>
  /** The CPU: its memory is the machine's. */
  readonly #host: Device | null
  /** Those that were there, and after them those placed in this round. */
  #tenants: Tenant[]
  readonly #before: ReadonlySet<Tenant>

  constructor(devices: readonly Device[], tenants: readonly T[]) {
    this.#devices = new Map(devices.map(device => [device.id, device]))
    this.#host = devices.find(({ kind }) => kind === 'cpu') ?? null
    this.#tenants = [...tenants]
    this.#before = new Set(tenants)
  }

  placeBeside(wish: Wish): Placed<T> | null {
    const option = this.#optionsOf(wish).find(each => this.#obstacle(each, wish, this.#tenants) === null)
    return option ? this.#settle(option, wish, []) : null
  }

  placeInstead(wish: Wish): Placed<T> | null {
    for (const option of this.#optionsOf(wish)) {
      const evict = this.#evictionsFor(option, wish)
      if (evict) return this.#settle(option, wish, evict)
    }
    return null
  }

  /** What would be in the way on each device even if everything idle went. */
  refusalsOf(wish: Wish): Map<string, string> {
    const staying = this.#tenants.filter(({ idleSinceMs }) => idleSinceMs === null)
    const reasons = this.#optionsOf(wish).map(option => [option.device.id, this.#obstacle(option, wish, staying)] as const)
    return new Map(reasons.flatMap(([id, reason]) => (reason === null ? [] : [[id, reason] as const])))
  }

  #optionsOf({ options }: Wish): Option[] {
    return options.flatMap(({ deviceId, ...sizes }) => {
      const device = this.#devices.get(deviceId)
      return device ? [{ device, ...sizes }] : []
    })
  }

  #settle({ device, bytes, hostBytes }: Option, { podId, podName, trust, slots: wanted }: Wish, evict: readonly T[]): Placed<T> {
    this.#tenants = without(this.#tenants, evict)
    const slots = Math.min(wanted, freeSlots(device, this.#tenants))
    this.#tenants.push({ podId, podName, deviceId: device.id, trust, bytes, hostBytes, slots, idleSinceMs: null })
    return { deviceId: device.id, slots, evict }
  }

  #obstacle({ device, bytes, hostBytes }: Option, wish: Wish, tenants: readonly Tenant[]): string | null {
    if (on(device, tenants).some(({ podId }) => podId === wish.podId)) return `no room on ${device.id}: a replica of the pod is there`
    const stranger = this.#onSameGpu(device, tenants).find(({ trust }) => trust !== wish.trust)
    if (stranger) {
      return `no room on ${device.id} beside ${stranger.podName}: a GPU without MIG isolates neither memory nor faults, and the two do not trust each other`
    }
    if (bytes > device.memoryBytes) return `no room on ${device.id}: it has ${size(device.memoryBytes)}, and the pod takes ${size(bytes)}`
    const crowd = this.#crowdOn(device, bytes, tenants)
    if (crowd !== null) return `no room on ${device.id}: the pod takes ${size(bytes)}, and ${crowd}`
    const hostCrowd = this.#host && this.#crowdOn(this.#host, hostBytes, tenants)
    if (hostCrowd !== null) return `no room beside ${device.id}: the pod takes ${size(hostBytes)} of the machine's memory, and ${hostCrowd}`
    if (freeSlots(device, tenants) < 1)
      return `no room on ${device.id}: all its ${device.slots} slots are taken (held by ${namesOf(on(device, tenants))})`
    return null
  }

  /** Who is in the way of so much of a device's memory; null when nobody is. */
  #crowdOn(device: Device, bytes: number, tenants: readonly Tenant[]): string | null {
    const holders = tenants.filter(tenant => takenOf(device, tenant) > 0)
    const freeBytes = device.memoryBytes - promisedOn(device, holders)
    return bytes === 0 || bytes <= freeBytes ? null : `${size(freeBytes)} are free (held by ${namesOf(holders)})`
  }

  /** Whom to unload, or null when that would not do. */
  #evictionsFor(option: Option, wish: Wish): T[] | null {
    const { device } = option
    const strangers = this.#onSameGpu(device, this.#tenants).filter(({ trust }) => trust !== wish.trust)
    if (!strangers.every(tenant => this.#mayGo(tenant))) return null
    const evict: Tenant[] = [...strangers]
    const isEnough = (gone: readonly Tenant[]): boolean => this.#obstacle(option, wish, without(this.#tenants, gone)) === null
    const idle = this.#inTheWayOf(option).filter(tenant => this.#mayGo(tenant) && !strangers.includes(tenant))
    for (const tenant of idle.sort(byAge)) {
      if (isEnough(evict)) break
      evict.push(tenant)
    }
    if (!isEnough(evict)) return null
    // The oldest may have been too small to help: what was used last is kept first.
    for (const tenant of evict.slice(strangers.length).reverse()) {
      const fewer = without(evict, [tenant])
      if (isEnough(fewer)) evict.splice(evict.indexOf(tenant), 1)
    }
    return evict as T[] // cast: #mayGo is true of those only that were there before
  }

  /** Those on the device, and those that take of the machine's memory where that is asked for. */
  #inTheWayOf({ device, hostBytes }: Option): Tenant[] {
    const asksHost = device === this.#host || hostBytes > 0
    return this.#tenants.filter(
      tenant => tenant.deviceId === device.id || (asksHost && (tenant.hostBytes > 0 || tenant.deviceId === this.#host?.id)),
    )
  }

  #mayGo(tenant: Tenant): boolean {
    return tenant.idleSinceMs !== null && this.#before.has(tenant)
  }

  #onSameGpu(device: Device, tenants: readonly Tenant[]): Tenant[] {
    const gpus = new Set(gpusOf(device))
    return tenants.filter(({ deviceId }) => {
      const other = this.#devices.get(deviceId)
      return other !== undefined && gpusOf(other).some(id => gpus.has(id))
    })
  }
}

function on(device: Device, tenants: readonly Tenant[]): Tenant[] {
  return tenants.filter(({ deviceId }) => deviceId === device.id)
}

/** The CPU's memory is the machine's, of which pods on GPUs take some too. */
function takenOf({ id, kind }: Device, { deviceId, bytes, hostBytes }: Tenant): number {
  return (deviceId === id ? bytes : 0) + (kind === 'cpu' ? hostBytes : 0)
}

/** What is promised of a device's memory. */
export function promisedOn(device: Device, tenants: readonly Tenant[]): number {
  return tenants.reduce((sum, tenant) => sum + takenOf(device, tenant), 0)
}

function namesOf(tenants: readonly Tenant[]): string {
  return [...new Set(tenants.map(({ podName }) => podName))].sort(byText).join(', ')
}

function freeSlots(device: Device, tenants: readonly Tenant[]): number {
  return on(device, tenants).reduce((free, { slots }) => free - slots, device.slots)
}

function without(tenants: readonly Tenant[], gone: readonly Tenant[]): Tenant[] {
  return tenants.filter(tenant => !gone.includes(tenant))
}

function byAge(a: Tenant, b: Tenant): number {
  return (a.idleSinceMs ?? 0) - (b.idleSinceMs ?? 0) || byText(a.podId, b.podId)
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function size(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`
}
