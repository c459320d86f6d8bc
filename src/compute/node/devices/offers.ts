import { createHash } from 'node:crypto'
import { type Device, HeuristError, MAX_GROUP_GPUS } from '#protocol'

/** `NODE_BAD_OFFER`: the owner's words about a GPU make no sense, or name one that is not here. */
export type OfferErrorCode = 'NODE_BAD_OFFER'

/** How a GPU is offered. `gpus` are numbers in the order of detection, or ids; null: all GPUs that no other offer names. */
export type Offer = { readonly gpus: readonly string[] | null; readonly as: 'whole' | 'group' | 'off' | { readonly slices: number } }

const MAX_SLICES = 16
const GRAMMAR =
  'Write "whole", "slices:4", "group" or "off", for some GPUs only with their numbers or ids before it: "0=slices:4", "1,2=group".'

function offerError(message: string): HeuristError<OfferErrorCode> {
  return new HeuristError('NODE_BAD_OFFER', message)
}

/** @example parseOffer('0,1=group') // { gpus: ['0', '1'], as: 'group' } @throws HeuristError NODE_BAD_OFFER */
export function parseOffer(text: string): Offer {
  const [before, after] = text.includes('=') ? [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)] : [null, text]
  const gpus = before === null ? null : before.split(',').map(each => each.trim())
  if (gpus?.some(each => each === '') || new Set(gpus).size !== (gpus?.length ?? 0))
    throw offerError(`The offer "${text}" names no GPU, or one twice. ${GRAMMAR}`)
  const slices = /^slices:(\d{1,4})$/.exec(after)
  if (slices) {
    const count = Number(slices[1])
    if (count < 2 || count > MAX_SLICES)
      throw offerError(`The offer "${text}" cuts a GPU into ${count}; 2 to ${MAX_SLICES} slices are possible.`)
    return { gpus, as: { slices: count } }
  }
  if (after === 'whole' || after === 'group' || after === 'off') return { gpus, as: after }
  throw offerError(`The offer "${text}" is not understood. ${GRAMMAR}`)
}

/**
 * The devices as their owner offers them; a GPU of which nothing is said is offered whole. `shareBps` is the part of each that this node
 * may use. @throws HeuristError NODE_BAD_OFFER
 */
export function offered(devices: readonly Device[], offers: readonly Offer[], shareBps: number): Device[] {
  const gpus = devices.filter(device => device.kind === 'gpu')
  const chosen = choose(gpus, offers)
  const groups = new Map([...chosen].flatMap(([gpu, offer]) => (offer.as === 'group' ? [[offer, gpu] as const] : [])))
  return devices.flatMap(device => {
    const offer = device.kind === 'gpu' ? chosen.get(device) : undefined
    if (device.kind !== 'gpu' || !offer) return [shared(device, shareBps)]
    if (offer.as === 'off') return []
    if (offer.as === 'whole') return [shared(device, shareBps)]
    if (typeof offer.as === 'object') return slicesOf(device, offer.as.slices, shareBps)
    // The group stands where its last GPU stood.
    return groups.get(offer) === device
      ? [
          groupOf(
            gpus.filter(gpu => chosen.get(gpu) === offer),
            shareBps,
          ),
        ]
      : []
  })
}

type Gpu = Device & { kind: 'gpu' }

function choose(gpus: readonly Gpu[], offers: readonly Offer[]): Map<Gpu, Offer> {
  const chosen = new Map<Gpu, Offer>()
  for (const offer of offers) {
    for (const name of offer.gpus ?? []) {
      const gpu = gpus.find(({ id }, index) => id === name || `${index}` === name)
      if (!gpu) throw offerError(`GPU ${name} is offered and is not here. ${presence(gpus)}`)
      if (chosen.has(gpu)) throw offerError(`GPU ${name} is offered twice. Leave one of the offers out.`)
      chosen.set(gpu, offer)
    }
  }
  const [rest, second] = offers.filter(({ gpus: named }) => named === null)
  if (second) throw offerError('Two offers are for all GPUs. Name the GPUs of one of them.')
  for (const gpu of gpus) if (rest && !chosen.has(gpu)) chosen.set(gpu, rest)
  for (const offer of offers) if (offer.as === 'group') checkGroup(gpus.filter(gpu => chosen.get(gpu) === offer))
  return chosen
}

function presence(gpus: readonly Gpu[]): string {
  if (gpus.length === 0) return 'This machine has no GPU that can be offered; MIG instances are offered as they are.'
  return `This machine has ${gpus.map(({ id, name }, index) => `${index} (${name}, ${id})`).join(', ')}.`
}

function checkGroup(members: readonly Gpu[]): void {
  if (members.length < 2 || members.length > MAX_GROUP_GPUS)
    throw offerError(`A group of ${members.length} GPUs is offered; it must have 2 to ${MAX_GROUP_GPUS}.`)
  if (new Set(members.map(({ id }) => id.startsWith('GPU-'))).size > 1) throw offerError('A group is offered of GPUs of two vendors.')
}

/** A part of a GPU without MIG is a time slice: it isolates neither memory nor faults (DESIGN §8). */
function shared(device: Device, shareBps: number): Device {
  if (shareBps === 10_000) return device
  const memoryBytes = Math.floor((device.memoryBytes * shareBps) / 10_000)
  const slots = Math.max(1, Math.floor((device.slots * shareBps) / 10_000))
  const part = { ...device, memoryBytes, slots, shareBps: Math.max(1, Math.floor((device.shareBps * shareBps) / 10_000)) }
  return part.kind === 'gpu' ? { ...part, kind: 'slice', parent: device.id } : part
}

function slicesOf(gpu: Gpu, count: number, shareBps: number): Device[] {
  const whole = shared(gpu, shareBps)
  const part = Math.floor(10_000 / count)
  return Array.from({ length: count }, (_, index) => ({
    ...shared({ ...whole, kind: 'gpu' }, part),
    kind: 'slice',
    parent: gpu.id,
    id: `${gpu.id}/${index}`,
  }))
}

/** The weakest GPU of a group says what the group can do. */
function groupOf(members: readonly Gpu[], shareBps: number): Device {
  const ids = members.map(({ id }) => id)
  const weakest = members.reduce((least, gpu) => (gpu.memoryBytes < least.memoryBytes ? gpu : least))
  const whole: Device = {
    ...weakest,
    kind: 'group',
    id: `GROUP-${createHash('sha256').update(ids.join()).digest('hex').slice(0, 16)}`,
    name: `${members.length} × ${weakest.name}`.slice(0, 200),
    memoryBytes: weakest.memoryBytes * members.length,
    computeCapability: Math.min(...members.map(({ computeCapability }) => computeCapability)),
    members: ids,
  }
  return shared(whole, shareBps)
}
