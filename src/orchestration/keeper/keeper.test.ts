import { describe, expect, test } from 'vitest'
import { createMetrics, silentLogger, systemClock } from '#platform'
import { createKeeper, type KeeperTask } from './keeper.ts'

const dependencies = (tasks: readonly KeeperTask[]) => ({ tasks, clock: systemClock, logger: silentLogger, metrics: createMetrics() })

describe('createKeeper', () => {
  test('default: tasks take turns in their order, and a failed one keeps nobody from its turn', async () => {
    const order: string[] = []
    const task = (name: string, fails = false): KeeperTask => ({
      name,
      async run() {
        order.push(name)
        if (fails) throw new Error('away')
        return [`${name} done`]
      },
    })
    const keeper = createKeeper({}, dependencies([task('a'), task('b', true), task('c')]))
    expect(await keeper.round()).toEqual(['a done', 'c done'])
    expect(order).toEqual(['a', 'b', 'c'])
    await keeper.stop()
  })

  test('behavior: rounds never overlap', async () => {
    let running = 0
    let most = 0
    const slow: KeeperTask = {
      name: 'slow',
      async run() {
        most = Math.max(most, ++running)
        await new Promise(resolve => setTimeout(resolve, 5))
        running--
        return []
      },
    }
    const keeper = createKeeper({ everyMs: 1 }, dependencies([slow]))
    keeper.start()
    await Promise.all([keeper.round(), keeper.round(), keeper.round()])
    await keeper.stop()
    expect(most).toBe(1)
  })

  test('behavior: after stop nothing runs any more', async () => {
    let runs = 0
    const count: KeeperTask = { name: 'count', run: async () => [`run ${++runs}`] }
    const keeper = createKeeper({ everyMs: 1 }, dependencies([count]))
    keeper.start()
    await keeper.round()
    await keeper.stop()
    const before = runs
    expect(await keeper.round()).toEqual([])
    expect(runs).toBe(before)
  })
})
