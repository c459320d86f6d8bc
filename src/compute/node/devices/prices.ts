import { type Device, type DeviceKind, HeuristError } from '#protocol'

/** `NODE_BAD_PRICE`: the owner's words about a price make no sense. */
export type PriceErrorCode = 'NODE_BAD_PRICE'

/** The least that the owner works for, in nano-credits per 1,000,000 units, by kind of device; `null` is for all kinds that no other names. */
export type MinimumPrice = { readonly kind: DeviceKind | null; readonly nanoCredits: number }

const KINDS: readonly DeviceKind[] = ['cpu', 'gpu', 'mig', 'slice', 'group']
const NANO = 1e9
const MAX_CREDITS = 1e6

/** @example parseMinimumPrice('gpu=2.5') // { kind: 'gpu', nanoCredits: 2_500_000_000 } @throws HeuristError NODE_BAD_PRICE */
export function parseMinimumPrice(text: string): MinimumPrice {
  const match = /^(?:([a-z]+)=)?(\d{1,7}(?:\.\d{1,9})?)$/.exec(text)
  const kind = KINDS.find(name => name === match?.[1]) ?? null
  const credits = Number(match?.[2])
  if (!match || (match[1] !== undefined && kind === null) || credits > MAX_CREDITS) {
    const message = `The price "${text}" is not understood. Write credits per 1M units, for all devices or for one kind: "5", "gpu=20". Kinds: ${KINDS.join(', ')}.`
    throw new HeuristError<PriceErrorCode>('NODE_BAD_PRICE', message)
  }
  return { kind, nanoCredits: Math.round(credits * NANO) }
}

/** The devices with what their owner asks for each. @throws HeuristError NODE_BAD_PRICE when a kind is priced twice */
export function priced(devices: readonly Device[], prices: readonly MinimumPrice[]): Device[] {
  if (new Set(prices.map(({ kind }) => kind)).size < prices.length)
    throw new HeuristError<PriceErrorCode>('NODE_BAD_PRICE', 'Two prices are for the same devices. Leave one of them out.')
  return devices.map(device => {
    const price = prices.find(({ kind }) => kind === device.kind) ?? prices.find(({ kind }) => kind === null)
    return price ? { ...device, minNanoCredits: price.nanoCredits } : device
  })
}
