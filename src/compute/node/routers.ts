import { bytesToHex, keccakBytes, type NodeId } from '#protocol'

/**
 * The routers in the order in which a node dials them: the first is its own, the second its standby, and so on. Rendezvous hashing, so
 * that nodes spread evenly, and when a router comes or goes only the nodes move that are or were its own.
 */
export function orderedRouters(nodeId: NodeId, urls: readonly string[]): string[] {
  const weight = (url: string): string => bytesToHex(keccakBytes(Buffer.from(`${nodeId} ${url}`)))
  const weighted = urls.map(url => ({ url, weight: weight(url) }))
  return weighted.sort((a, b) => (a.weight < b.weight ? 1 : -1)).map(({ url }) => url)
}
