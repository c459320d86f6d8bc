import { describe, expect, test } from 'vitest'
import { decodeFrames, encodeFrame, keccak256, outputHash } from '#protocol'
import { OutputRecord, wireDelta } from './output.ts'

describe('OutputRecord', () => {
  test('default: choices, tool calls and tokens add up', () => {
    const record = new OutputRecord()
    record.add({ choice: 1, tokens: 1, text: 'b' })
    record.add({ choice: 0, tokens: 2, text: 'a', toolCalls: [{ index: 0, id: 'call_1', name: 'sum', arguments: '{"a"' }] })
    record.add({ choice: 0, tokens: 1, text: '', toolCalls: [{ index: 0, arguments: ':1}' }] })
    const finish = record.finish([
      { index: 1, reason: 'length' },
      { index: 0, reason: 'tool_calls' },
    ])
    expect(record.tokens).toBe(4)
    expect(record.choices(finish)).toEqual([
      { index: 0, text: 'a', toolCalls: [{ id: 'call_1', name: 'sum', arguments: '{"a":1}' }], finishReason: 'tool_calls' },
      { index: 1, text: 'b', toolCalls: [], finishReason: 'length' },
    ])
  })

  test('behavior: a choice that was cut off counts as stopped; one without output is still a choice', () => {
    const record = new OutputRecord()
    record.add({ choice: 2, tokens: 1, text: 'x' })
    expect(record.finish([{ index: 0, reason: 'stop' }])).toEqual([
      { index: 0, reason: 'stop' },
      { index: 2, reason: 'stop' },
    ])
  })

  test('behavior: a vector is committed to by the bytes that travel', () => {
    const record = new OutputRecord()
    const embedding = Float32Array.from([0.5, -1, 3])
    record.add({ choice: 0, tokens: 0, text: '', embedding })
    const [choice] = record.choices(record.finish([]))
    expect(choice?.embeddingHash).toBe(keccak256(new Uint8Array(embedding.buffer)))
  })

  test('behavior: both ends hash the same text, lone surrogates included', () => {
    const record = new OutputRecord()
    const received: string[] = []
    const logprobs = [{ token: 'x', logprob: -1, bytes: null, top_logprobs: [] }]
    for (const delta of [
      { choice: 0, tokens: 1, text: '\ud83d' },
      { choice: 0, tokens: 1, text: '\ude00é', logprobs },
    ]) {
      const sent = wireDelta(delta)
      record.add(sent)
      received.push(...decodeFrames(encodeFrame(1, 0, sent)).map(frame => frame.delta.text))
    }
    const finish = record.finish([{ index: 0, reason: 'stop' }])
    const there = [{ index: 0, text: received.join(''), toolCalls: [], finishReason: 'stop' as const }]
    expect(outputHash(record.choices(finish))).toBe(outputHash(there))
  })
})
