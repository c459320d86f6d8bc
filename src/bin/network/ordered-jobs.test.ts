import { describe, expect, test } from 'vitest'
import type { JobOutcome, JobStore } from '#platform'
import { orderedJobs } from './ordered-jobs.ts'

function setUp() {
  const steps: string[] = []
  const disk = Promise.withResolvers<void>()
  const jobs = orderedJobs(
    { finish: async outcome => void steps.push(`commit ${outcome.start.jobId}`) } as JobStore, // cast: nothing else is asked
    {
      router: { decisionsStored: () => disk.promise },
      sequencer: { notify: count => void steps.push(`notify ${count}`) },
    },
  )
  const finish = (receipt: object | null): Promise<void> => jobs.finish({ start: { jobId: 'job_1' }, receipt } as JobOutcome) // cast: the parts that are read
  return { steps, disk, finish }
}

describe('orderedJobs', () => {
  test('default: decisions first, then the commit, then the sequencer hears of the receipt', async () => {
    const { steps, disk, finish } = setUp()
    const finished = finish({})
    await new Promise(resolve => setImmediate(resolve))
    expect(steps).toEqual([])
    disk.resolve()
    await finished
    expect(steps).toEqual(['commit job_1', 'notify 1'])
  })

  test('behavior: a job without a receipt is no news for the sequencer', async () => {
    const { steps, disk, finish } = setUp()
    disk.resolve()
    await finish(null)
    expect(steps).toEqual(['commit job_1'])
  })

  test('error: nothing is committed when the decisions could not be stored', async () => {
    const { steps, disk, finish } = setUp()
    disk.reject(new Error('the disk is full'))
    await expect(finish({})).rejects.toThrow('the disk is full')
    expect(steps).toEqual([])
  })
})
