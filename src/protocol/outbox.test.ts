import { describe, expect, test } from 'vitest'
import { createOutbox } from './outbox.ts'

function collecting() {
  const written: string[] = []
  const turns: (() => void)[] = []
  const outbox = createOutbox(
    message => written.push(typeof message === 'string' ? message : `bytes ${Buffer.from(message).toString()}`),
    callback => turns.push(callback),
  )
  const endTurn = (): void => {
    for (const callback of turns.splice(0)) callback()
  }
  return { outbox, written, turns, endTurn }
}

describe('outbox', () => {
  test('default: one turn is one message of frames and one of texts, frames first', () => {
    const { outbox, written, endTurn } = collecting()
    outbox.text('{"a":1}')
    outbox.frame(Buffer.from('x'))
    outbox.text('{"b":2}')
    outbox.frame(Buffer.from('y'))
    expect(written).toEqual([])
    endTurn()
    expect(written).toEqual(['bytes xy', '[{"a":1},{"b":2}]'])
    endTurn()
    expect(written).toHaveLength(2)
  })

  test('behavior: a single text is no array, and each turn is scheduled once', () => {
    const { outbox, written, turns, endTurn } = collecting()
    outbox.text('{"a":1}')
    outbox.frame(Buffer.from('x'))
    expect(turns).toHaveLength(1)
    endTurn()
    expect(written).toEqual(['bytes x', '{"a":1}'])
  })

  test('behavior: a batch that would become too large leaves before the turn ends', () => {
    const { outbox, written, endTurn } = collecting()
    const half = `"${'h'.repeat(600 * 1024)}"`
    outbox.text(half)
    outbox.text(half)
    expect(written).toEqual([half])
    endTurn()
    expect(written).toEqual([half, half])
  })

  test('behavior: what was dropped is never sent', () => {
    const { outbox, written, endTurn } = collecting()
    outbox.text('{}')
    outbox.drop()
    endTurn()
    outbox.flush()
    expect(written).toEqual([])
  })
})
