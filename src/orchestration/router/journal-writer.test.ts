import { describe, expect, test } from 'vitest'
import { createManualClock, createMetrics, createSigner, newPrivateKey, recoverMember, silentLogger } from '#platform'
import { domainSeparator, type JobId, type JournalPiece, jobDomain, journalDigest, keccak256, ZERO_BYTES32 } from '#protocol'
import type { UnsignedPiece } from './journal.ts'
import { createJournalWriter } from './journal-writer.ts'
import { TEST_CHAIN_ID, TEST_SETTLEMENT } from './testing/harness.ts'

const separator = domainSeparator(jobDomain(TEST_CHAIN_ID, TEST_SETTLEMENT))
const piece = (name: string, text = 'text\n'): UnsignedPiece => ({
  podId: keccak256(name),
  segment: keccak256(name),
  number: 0,
  head: ZERO_BYTES32,
  text,
})

function start(append: (pieces: readonly JournalPiece[]) => Promise<void>) {
  const clock = createManualClock()
  const signer = createSigner(newPrivateKey())
  const said: UnsignedPiece[] = []
  const restarts: number[] = []
  const lost = createMetrics().counter('lost', 'Lost.')
  const writer = createJournalWriter(
    { intervalMs: 100 },
    {
      fleet: { takeJournal: () => said.splice(0), restartJournals: () => void restarts.push(clock.now()) },
      sink: { append },
      ...{ signer, separator, clock, lost, logger: silentLogger },
    },
  )
  return { clock, signer, writer, lost, restarts, say: (...pieces: UnsignedPiece[]) => void said.push(...pieces) }
}

/** Lets everything that was resolved so far run. */
const turns = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('journal writer', () => {
  test('default: signs all pods at once and stores at the interval', async () => {
    const stored: JournalPiece[] = []
    const { clock, signer, writer, say } = start(async pieces => void stored.push(...pieces))
    writer.start()
    say(piece('a'), piece('b'), piece('c'))
    clock.advance(99)
    expect(stored).toHaveLength(0)
    clock.advance(1)
    await writer.flush()
    expect(stored.map(({ podId }) => podId)).toEqual(['a', 'b', 'c'].map(keccak256))
    for (const item of stored)
      expect(recoverMember(separator, journalDigest(separator, item), item.routerSignature), item.podId).toBe(signer.address)
    expect(new Set(stored.map(({ routerSignature }) => routerSignature.slice(0, 132))).size).toBe(1)
    await writer.flush()
    expect(stored).toHaveLength(3)
  })

  test('behavior: a job waits until its own decision is stored, and jobs that ask at once share one store', async () => {
    const stores: PromiseWithResolvers<void>[] = []
    const { writer, say } = start(() => {
      stores.push(Promise.withResolvers())
      return stores.at(-1)!.promise
    })
    const ended: JobId[] = []
    const decide = (jobId: JobId): void => {
      say(piece(jobId))
      writer.decided(jobId)
    }
    const wait = (jobId: JobId): Promise<void> => writer.stored(jobId).then(() => void ended.push(jobId))
    const [first, second, third, none] = ['job_1', 'job_2', 'job_3', 'job_4'] as const
    decide(first)
    const waits = [wait(first), wait(none)]
    await turns()
    decide(second)
    decide(third)
    waits.push(wait(first), wait(second), wait(third))
    await turns()
    expect([ended, stores.length], 'only the job without a decision').toEqual([[none], 1])
    stores[0]!.resolve()
    await turns()
    expect([ended, stores.length], 'the second store is under way').toEqual([[none, first, first], 2])
    stores[1]!.resolve()
    await Promise.all(waits)
    expect(ended).toEqual([none, first, first, second, third])
    await writer.stored(first)
    expect(stores).toHaveLength(2)
  })

  test('error: a job whose decision could not be stored hears why; the next try counts for it too', async () => {
    let isAway = true
    const { writer, say } = start(async () => {
      if (isAway) throw new Error('the store is away')
    })
    say(piece('a'))
    writer.decided('job_1')
    await expect(writer.stored('job_1')).rejects.toThrow('the store is away')
    isAway = false
    await expect(writer.stored('job_1')).resolves.toBeUndefined()
  })

  test('behavior: what could not be stored is stored later, in order', async () => {
    const stored: string[] = []
    let isAway = true
    const { writer, say } = start(async pieces => {
      if (isAway) throw new Error('away')
      stored.push(...pieces.map(({ podId }) => podId))
    })
    say(piece('a'))
    await writer.flush()
    say(piece('b'))
    await writer.flush()
    isAway = false
    await writer.stop()
    expect(stored).toEqual([keccak256('a'), keccak256('b')])
  })

  test('behavior: a store that stays away costs bounded memory, the loss is counted, and segments begin anew', async () => {
    const { writer, say, lost, restarts } = start(() => Promise.reject(new Error('away')))
    for (let i = 0; i < 5; i++) {
      say(piece(`${i}`, 'x'.repeat(20_000_000)))
      await writer.flush()
    }
    expect((await lost.get()).values[0]?.value).toBe(2)
    expect(restarts).toHaveLength(2)
  })

  test('behavior: a store that hangs does not pile up flushes', async () => {
    let calls = 0
    const gate = Promise.withResolvers<void>()
    const { clock, writer, say } = start(() => {
      calls += 1
      return gate.promise
    })
    writer.start()
    for (let i = 0; i < 10; i++) {
      say(piece(`${i}`))
      clock.advance(100)
      await Promise.resolve()
    }
    expect(calls).toBe(1)
    gate.resolve()
    await writer.stop()
    expect(calls).toBe(2)
  })
})
