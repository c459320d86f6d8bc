import { describe, expect, test } from 'vitest'
import { CreditWindow } from './credit-window.ts'

describe('CreditWindow', () => {
  test('default: lets through what was granted and not more', () => {
    const window = new CreditWindow(5)
    expect([window.tryTake(3), window.tryTake(2), window.tryTake(1)]).toEqual([true, true, false])
    window.add(1)
    expect(window.tryTake(1)).toBe(true)
  })

  test('behavior: waiting pieces go in order; a small one does not pass a large one', async () => {
    const window = new CreditWindow(4)
    window.tryTake(4)
    const order: string[] = []
    const large = window.take(3).then(() => order.push('large'))
    const small = window.take(1).then(() => order.push('small'))
    window.add(1)
    await Promise.resolve()
    expect(window.tryTake(1)).toBe(false)
    expect(order).toEqual([])
    window.add(3)
    await Promise.all([large, small])
    expect(order).toEqual(['large', 'small'])
  })

  test('behavior: a piece larger than the window goes alone on a full one', async () => {
    const window = new CreditWindow(4)
    expect(window.tryTake(10)).toBe(true)
    expect(window.tryTake(1)).toBe(false)
    window.add(4)
    expect(window.tryTake(1)).toBe(false)
    window.add(7)
    expect(window.tryTake(1)).toBe(true)
  })

  test('behavior: endless grants do not lift the bound', () => {
    const window = new CreditWindow(4)
    for (let i = 0; i < 100; i++) window.add(1000)
    expect([window.tryTake(4), window.tryTake(1)]).toEqual([true, false])
  })

  test('behavior: opening frees everybody who waits', async () => {
    const window = new CreditWindow(1)
    window.tryTake(1)
    const waiting = [window.take(1), window.take(1)]
    window.open()
    await Promise.all(waiting)
  })
})
