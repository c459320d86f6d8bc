import { describe, expect, test } from 'vitest'
import { createManualClock } from '../../clock.ts'
import { jobStart } from '../conformance/fixtures.ts'
import { createDelayedStarts } from './delayed-starts.ts'

function setUp() {
  const clock = createManualClock()
  const written: string[] = []
  const starts = createDelayedStarts({ write: async ({ jobId }) => void written.push(jobId), clock })
  return { clock, written, starts }
}

describe('delayed starts', () => {
  test('default: a job that lasts is written, one that ends sooner is not, and both promises resolve', async () => {
    const { clock, written, starts } = setUp()
    const [long, short] = [jobStart(), jobStart()]
    const both = [starts.add(long), starts.add(short)]
    clock.advance(20)
    starts.drop(short.jobId)
    expect(written).toEqual([])
    clock.advance(200)
    await Promise.all(both)
    expect(written).toEqual([long.jobId])
  })

  test('behavior: none waits longer than twice the delay, however many follow', () => {
    const { clock, written, starts } = setUp()
    const first = jobStart()
    void starts.add(first)
    for (let i = 0; i < 10; i++) {
      clock.advance(10)
      void starts.add(jobStart())
    }
    expect(written).toContain(first.jobId)
    clock.advance(100)
    expect(written).toHaveLength(11)
  })

  test('behavior: a job whose client is told its id is written at once, and once', () => {
    const { clock, written, starts } = setUp()
    const [told, quiet] = [jobStart(), jobStart()]
    void starts.add(told)
    void starts.add(quiet)
    starts.hasten(told.jobId)
    starts.hasten(told.jobId)
    expect(written).toEqual([told.jobId])
    clock.advance(1000)
    expect(written).toEqual([told.jobId, quiet.jobId])
  })

  test('behavior: flush writes at once, and nothing twice', () => {
    const { clock, written, starts } = setUp()
    void starts.add(jobStart())
    starts.flush()
    clock.advance(1000)
    expect(written).toHaveLength(1)
  })

  test('error: who asked hears that the write failed', async () => {
    const clock = createManualClock()
    const starts = createDelayedStarts({ write: () => Promise.reject(new Error('full')), clock })
    const asked = starts.add(jobStart())
    clock.advance(100)
    await expect(asked).rejects.toThrow('full')
  })
})
