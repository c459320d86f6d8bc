import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createManualClock } from '#platform'
import type { PodId, RouterBeacon } from '#protocol'
import { chooseRouter } from './choose.ts'
import { createRouterDirectory, type KnownRouter } from './directory.ts'

const POD: PodId = `0x${'1'.repeat(64)}`
const OTHER: PodId = `0x${'2'.repeat(64)}`

const summary = (podId: PodId, freeSlots: number) => ({ podId, warm: 1, loading: 0, replicas: 1, freeSlots, queued: 0, scale: null })
const beacon = (instance: string, round: number, pods: RouterBeacon['pods'], more: Partial<RouterBeacon> = {}): string =>
  JSON.stringify({
    instance,
    url: `ws://${instance}/gateway`,
    nodeUrl: `ws://${instance}/node`,
    round,
    draining: false,
    devices: 1,
    pods,
    ...more,
  })
const known = (instance: string, freeSlots: number | null, draining = false): { router: KnownRouter; given: number } => ({
  router: {
    instance,
    url: `ws://${instance}`,
    nodeUrl: `ws://${instance}`,
    draining,
    devices: 1,
    heardAtMs: 0,
    pods: new Map(freeSlots === null ? [] : [[POD, summary(POD, freeSlots)]]),
  },
  given: 0,
})

describe('what is known of routers', () => {
  test('default: the parts of a round are put together; a pod that is named no more goes', () => {
    const directory = createRouterDirectory({ clock: createManualClock() })
    directory.heard(beacon('a', 1, [summary(POD, 3)]))
    directory.heard(beacon('a', 1, [summary(OTHER, 1)]))
    expect([...(directory.list()[0]?.pods.keys() ?? [])]).toEqual([POD, OTHER])
    for (const round of [2, 3]) directory.heard(beacon('a', round, [summary(OTHER, 2)]))
    expect([...(directory.list()[0]?.pods.values() ?? [])]).toEqual([summary(OTHER, 2)])
  })
  test('behavior: a router that was started again counts from one and is another', () => {
    const directory = createRouterDirectory({ clock: createManualClock() })
    directory.heard(beacon('a', 900, [summary(POD, 3)]))
    directory.heard(beacon('a', 1, [], { url: 'ws://elsewhere/gateway' }))
    expect(directory.list()).toMatchObject([{ url: 'ws://elsewhere/gateway' }])
    expect(directory.list()[0]?.pods.size).toBe(0)
  })
  test('behavior: who is silent for three seconds is gone', () => {
    const clock = createManualClock()
    const directory = createRouterDirectory({ clock })
    directory.heard(beacon('a', 1, []))
    clock.advance(3_000)
    expect(directory.list()).toHaveLength(1)
    clock.advance(1)
    expect(directory.list()).toEqual([])
  })
  test('error: what can not be read is left alone', () => {
    const directory = createRouterDirectory({ clock: createManualClock() })
    for (const payload of ['', '{', '[]', '{"instance":"a"}', beacon('a', -1, []), beacon('', 1, [])]) directory.heard(payload)
    expect(directory.list()).toEqual([])
  })
})

describe('the router for a job', () => {
  test('default: of two, the one with more free slots', () => {
    expect(chooseRouter([known('a', 1), known('b', 5)], POD, Math.random)?.router.instance).toBe('b')
  })
  test('behavior: what was given since the last word counts', () => {
    const full = { ...known('b', 5), given: 5 }
    expect(chooseRouter([known('a', 1), full], POD, Math.random)?.router.instance).toBe('a')
  })
  test('behavior: a router that may not load the pod is asked only when nobody else may, though it has it warm still', () => {
    const bound = (instance: string, warm: number): ReturnType<typeof known> => {
      const candidate = known(instance, 9)
      const scale = { desired: 0, limit: 0, places: 1, ceiling: 1 }
      return { ...candidate, router: { ...candidate.router, pods: new Map([[POD, { ...summary(POD, 9), warm, scale }]]) } }
    }
    expect(chooseRouter([bound('a', 0), known('b', 1)], POD, Math.random)?.router.instance).toBe('b')
    expect(chooseRouter([bound('a', 1), known('b', 1)], POD, Math.random)?.router.instance).toBe('b')
    expect(chooseRouter([bound('a', 0)], POD, Math.random)?.router.instance).toBe('a')
  })
  test('property: never a draining one, never one without the pod beside one that hosts it; an answer whenever somebody is willing', () => {
    const router = fc.record({ slots: fc.option(fc.nat({ max: 8 })), draining: fc.boolean() })
    fc.assert(
      fc.property(fc.array(router, { maxLength: 8 }), fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), (given, draws) => {
        const candidates = given.map(({ slots, draining }, index) => known(`r${index}`, slots, draining))
        const chosen = chooseRouter(candidates, POD, () => draws.next().value)
        const willing = candidates.filter(({ router: { draining } }) => !draining)
        expect(chosen === null).toBe(willing.length === 0)
        if (!chosen) return
        expect(chosen.router.draining).toBe(false)
        if (willing.some(({ router: { pods } }) => pods.size > 0)) expect(chosen.router.pods.size).toBe(1)
      }),
    )
  })
})
