import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** Networks that a model source must never reach: a stranger's pod could otherwise make a node read its owner's LAN or cloud metadata. */
const FORBIDDEN_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]
/** Includes every form that carries an IPv4 address inside: mapped, translated (NAT64), 6to4 and Teredo. */
const FORBIDDEN_V6: readonly (readonly [string, number])[] = [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 32],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
]

const forbidden = new BlockList()
for (const [network, prefix] of FORBIDDEN_V4) forbidden.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of FORBIDDEN_V6) forbidden.addSubnet(network, prefix, 'ipv6')

/** True for an address on the open internet. Anything that is not an IP address is not public. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && !forbidden.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** True when a URL's host is written as an address that is not public; names are judged when they are resolved. */
export function isForbiddenHost(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '')
  return isIP(bare) !== 0 && !isPublicAddress(bare)
}

/**
 * Name resolution that refuses names with any address outside the open internet. It stands in the connector, so the address that was
 * checked is the address that is dialled, and a name that changes its answer between two look-ups gains nothing.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) {
      callback(error, [])
      return
    }
    const bad = addresses.find(({ address }) => !isPublicAddress(address))
    const first = addresses[0]
    if (bad || !first) callback(new Error(`${hostname} is ${bad?.address ?? 'nowhere'}, which is not an address on the open internet`), [])
    else if (options.all) callback(null, addresses)
    else callback(null, first.address, first.family)
  })
}
