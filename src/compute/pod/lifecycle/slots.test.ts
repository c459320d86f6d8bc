import { describe, expect, test } from 'vitest'
import { Slots } from './slots.ts'

const never = new AbortController().signal

describe('Slots', () => {
  test('default: as many as there are, the rest in order of asking', async () => {
    const slots = new Slots(1, 10)
    const order: number[] = []
    const release = await slots.claim(never)
    const second = slots.claim(never).then(give => {
      order.push(2)
      give?.()
    })
    const third = slots.claim(never).then(give => {
      order.push(3)
      give?.()
    })
    expect([slots.busy, slots.free]).toEqual([1, 0])
    release?.()
    await Promise.all([second, third])
    expect(order).toEqual([2, 3])
    expect(slots.busy).toBe(0)
  })

  test('behavior: a full queue says so at once', async () => {
    const slots = new Slots(1, 1)
    await slots.claim(never)
    void slots.claim(never)
    expect(await slots.claim(never)).toBeNull()
  })

  test('behavior: who gives up leaves the queue, and nobody else loses his place', async () => {
    const slots = new Slots(1, 10)
    const release = await slots.claim(never)
    const giveUp = new AbortController()
    const first = slots.claim(giveUp.signal)
    const second = slots.claim(never)
    giveUp.abort(new Error('cancelled'))
    await expect(first).rejects.toThrow('cancelled')
    release?.()
    expect(await second).not.toBeNull()
    expect(slots.busy).toBe(1)
  })

  test('behavior: giving back twice frees one slot', async () => {
    const slots = new Slots(2, 0)
    const release = await slots.claim(never)
    await slots.claim(never)
    release?.()
    release?.()
    expect(slots.busy).toBe(1)
  })
})
