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

/** As many as a node dials in vain before it comes to the first again. */
const MAX_FORMER = 8

/**
 * The routers of a node as they come and go. One that is not named any more comes last: whoever named it may have lost sight of it for a moment, and
 * be gone himself by the time that the others are.
 */
export class KnownRouters {
  readonly #nodeId: NodeId
  #former: readonly string[] = []

  constructor(nodeId: NodeId) {
    this.#nodeId = nodeId
  }

  /** @param urls those that are named now */
  order(urls: readonly string[]): string[] {
    const former = this.#former.filter(url => !urls.includes(url)).slice(0, MAX_FORMER)
    this.#former = [...urls, ...former]
    return [...orderedRouters(this.#nodeId, urls), ...former]
  }
}
