import { describe, expect, test } from 'vitest'
import { epochClock } from './keeper.ts'

const GENESIS = 1_000
const WEEK = 7 * 86_400

describe('epochClock', () => {
  test('default: the epoch of the newest block, whose beginning is read once; none before the first', async () => {
    let reads = 0
    let atSeconds = GENESIS + WEEK + 1
    const now = epochClock({
      head: async () => ({ number: 1, timestampSeconds: atSeconds }),
      read: async () => {
        reads += 1
        return BigInt(GENESIS)
      },
    } as never) // cast: what the clock asks of a chain
    expect([await now(), await now(), reads]).toEqual([1, 1, 1])
    atSeconds = GENESIS - 1
    expect(await now()).toBeNull()
  })

  test('error: a chain that answers nothing is an error of the call, leaves no failure unheard, and is asked anew', async () => {
    let isAway = true
    const unless = async <T>(answer: T, delayMs: number): Promise<T> => {
      if (!isAway) return answer
      await new Promise(resolve => setTimeout(resolve, delayMs))
      throw new Error('the chain is away')
    }
    const now = epochClock({
      head: () => unless({ number: 1, timestampSeconds: GENESIS }, 0),
      read: () => unless(BigInt(GENESIS), 5),
    } as never) // cast: what the clock asks of a chain
    await expect(now()).rejects.toThrow('the chain is away')
    // Node ends a process for a rejection that nobody hears; vitest fails the file.
    await new Promise(resolve => setTimeout(resolve, 20))
    isAway = false
    expect(await now()).toBe(0)
  })
})
