import { describe, expect, test } from 'vitest'
import { borneOut, createSpeeds } from './speeds.ts'

const version = { nodeId: `0x${'1'.repeat(40)}`, podId: `0x${'2'.repeat(64)}`, manifestHash: 'v1' } as const
const job = (outputUnits: number, elapsedMs: number, more: object = {}) => ({
  inputUnits: 0,
  outputUnits,
  elapsedMs,
  alongside: 1,
  ...more,
})

describe('speeds', () => {
  test('default: a claim stands until jobs show less', () => {
    const speeds = createSpeeds()
    expect(speeds.believed(version, 500)).toBe(500)
    expect(speeds.saw(version, job(100, 1_000))).toBe(true)
    expect(speeds.believed(version, 500)).toBe(100)
    expect(speeds.believed(version, 50)).toBe(50)
  })

  test('behavior: short jobs count together', () => {
    const speeds = createSpeeds()
    const told = Array.from({ length: 8 }, () => speeds.saw(version, job(8, 100)))
    expect(told).toEqual([...Array.from({ length: 7 }, () => false), true])
    expect(speeds.believed(version, 500)).toBe(80)
  })

  test('behavior: jobs beside one another share the device, and a prompt is work too', () => {
    const speeds = createSpeeds()
    speeds.saw(version, job(80, 4_000, { alongside: 4, inputUnits: 80 }))
    expect(speeds.believed(version, 500)).toBe(100)
  })

  test('behavior: one slow job is forgiven, many are not, and a fast one sets it right', () => {
    const speeds = createSpeeds()
    speeds.saw(version, job(100, 1_000))
    speeds.saw(version, job(100, 10_000))
    expect(speeds.believed(version, 500)).toBe(90)
    for (let i = 0; i < 40; i++) speeds.saw(version, job(100, 10_000))
    expect(speeds.believed(version, 500)).toBe(10)
    speeds.saw(version, job(100, 1_000))
    expect(speeds.believed(version, 500)).toBe(100)
  })

  test('behavior: up to half of a claim is forgiven, what is missing beyond that is not borne out', () => {
    expect([borneOut(500, 500), borneOut(250, 500), borneOut(50, 500), borneOut(0, 500), borneOut(0, 0)]).toEqual([1, 1, 0.2, 0, 1])
  })

  test('behavior: what took no time says nothing, and another version of the pod begins anew', () => {
    const speeds = createSpeeds()
    expect(speeds.saw(version, job(1_000, 0))).toBe(false)
    speeds.saw(version, job(100, 11_000))
    expect(speeds.believed(version, 500)).toBe(100)
    expect(speeds.believed({ ...version, manifestHash: 'v2' }, 500)).toBe(500)
  })
})
