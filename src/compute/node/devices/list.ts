import type { Device } from '#protocol'

/** The devices of a node as they are known now: their one place. Who measures something of one changes it here. */
export class DeviceList {
  readonly #changed: () => void
  #devices: readonly Device[] = []

  /** @param changed called after each change */
  constructor(changed: () => void) {
    this.#changed = changed
  }

  now(): readonly Device[] {
    return this.#devices
  }

  set(devices: readonly Device[]): void {
    this.#devices = devices
    this.#changed()
  }

  /** Calls `change` for each device; one that it gives back as it is has not changed. */
  change(change: (device: Device) => Device): void {
    const next = this.#devices.map(change)
    if (next.some((device, index) => device !== this.#devices[index])) this.set(next)
  }
}
