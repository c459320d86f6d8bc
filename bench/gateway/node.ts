import { factsHosting, startFakeNode } from '../../src/orchestration/testing.ts'
import type { Address, Hex } from '../../src/protocol/index.ts'
import { isPaced, WORD } from './answer.ts'

/** A node that answers from memory over the real link, with a real key and real signatures: the far end of the measured path. */
const { url, chainId, settlement, privateKey } = JSON.parse(process.argv[2] ?? '{}') as {
  url: string
  chainId: number
  settlement: Address
  privateKey: Hex
} // cast: written by the bench
const SLOTS = 4096

const node = await startFakeNode({
  url,
  chainId,
  settlement,
  privateKey,
  heartbeatMs: 2000,
  batches: true,
  async answer(lease) {
    const { body } = lease.grant.request
    const tokens = typeof body.max_tokens === 'number' ? body.max_tokens : 16
    const paced = isPaced(JSON.stringify(body))
    const stream = body.stream === true
    for (let sent = 0; sent < tokens; sent++) {
      await lease.credit(1)
      lease.send({ choice: 0, tokens: 1, text: WORD, tokenIds: [1] })
      if (sent + 1 === tokens) break
      if (paced) await new Promise(resolve => setTimeout(resolve, 1000))
      else if (stream) await new Promise(resolve => setImmediate(resolve))
    }
    lease.done()
  },
})
const welcome = await node.next('welcome')
node.updateFacts(factsHosting(welcome.pods, { slots: SLOTS, unitsPerSecond: 1000 }))
process.send?.({ nodeId: node.nodeId })
