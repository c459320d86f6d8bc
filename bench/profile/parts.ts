import type { CpuProfile } from './record.ts'

export type Part = { readonly name: string; readonly share: number }

/** What a file of ours works for; the first that fits. Frames of Node and of libraries count for the file of ours that called them. */
const PARTS: readonly (readonly [name: string, RegExp])[] = [
  [
    'hashes and signatures',
    /src\/(protocol\/(keccak|typed-data|signed-group|merkle|canonical)|platform\/signing|orchestration\/router\/(seal|signing|receipts))/,
  ],
  ['database: rows, parameters, protocol', /src\/platform\/database\//],
  [
    'admission: key, JSON, checks, limits',
    /src\/application\/(gateway\/(json|validate|auth|rate-limit|request-parts|openai\/requests)|payments\/(api-keys|key-budgets))/,
  ],
  ['chat template and tokenizer', /src\/(platform\/tokenizer|application\/gateway\/units)/],
  ['quote, hold, split, ledger postings', /src\/(application\/payments|economics)\//],
  ['HTTP answers', /src\/application\/gateway\/(server|take-over|sse|drain)/],
  ['gateway: the job, its timeline, the answer', /src\/application\//],
  ['decision and its journal', /src\/orchestration\/router\/(decision|journal|pick|rank|roster|fleet|filter)/],
  ['node link: messages and frames', /src\/(orchestration\/router\/link\/|protocol\/(messages|frames|outbox|link-checks))/],
  ['lease and metering', /src\/orchestration\/router\//],
  ['settlement: batches and the chain', /src\/(orchestration\/(sequencer|keeper|registry)|platform\/chain)/],
  ['the rest of ours', /\/src\//],
]
const LIBRARIES: readonly (readonly [name: string, RegExp])[] = [
  ['database: rows, parameters, protocol', /node_modules\/(pg|pg-|kysely)/],
  ['settlement: batches and the chain', /node_modules\/(viem|abitype|ox)|undici/],
  ['node link: messages and frames', /node_modules\/ws\//],
]
const HTTP = 'HTTP in Node and Fastify, promises, timers'

function partOf(stack: readonly { functionName: string; url: string }[]): string | null {
  const leaf = stack[0]?.functionName ?? ''
  if (leaf === '(idle)') return null
  if (leaf === '(garbage collector)') return 'garbage collection'
  if (leaf === '(program)') return 'native code outside of calls'
  const ours = stack.find(({ url }) => url.includes('/src/') && !url.includes('node_modules'))
  if (ours) return PARTS.find(([, pattern]) => pattern.test(ours.url))?.[0] ?? HTTP
  return LIBRARIES.find(([, pattern]) => stack.some(({ url }) => pattern.test(url)))?.[0] ?? HTTP
}

/** Shares of the busy time by what the innermost frame of ours works for, largest first. */
export function partsOf({ nodes, samples, timeDeltas }: CpuProfile): Part[] {
  const byId = new Map(nodes.map(node => [node.id, node]))
  const parents = new Map(nodes.flatMap(node => (node.children ?? []).map(child => [child, node.id] as const)))
  const named = new Map<number, string | null>()
  const nameOf = (id: number): string | null => {
    const known = named.get(id)
    if (known !== undefined) return known
    const stack = []
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) stack.push(byId.get(at)!.callFrame)
    const name = partOf(stack)
    named.set(id, name)
    return name
  }
  const sums = new Map<string, number>()
  for (const [i, id] of samples.entries()) {
    const name = nameOf(id)
    if (name !== null) sums.set(name, (sums.get(name) ?? 0) + (timeDeltas[i] ?? 0))
  }
  const total = [...sums.values()].reduce((sum, value) => sum + value, 0)
  return [...sums].map(([name, sum]) => ({ name, share: sum / total })).sort((a, b) => b.share - a.share)
}
