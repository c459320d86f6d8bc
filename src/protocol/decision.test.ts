import { describe, expect, test } from 'vitest'
import { type RouteFacts, routeClass } from './decision.ts'

describe('routeClass', () => {
  const cases: [string, Partial<RouteFacts>, number][] = [
    ['open with three owners', { owners: 3 }, 0],
    ['two owners', { owners: 2 }, 3],
    ['a pod hosted by one owner', { owners: 1 }, 3],
    ['nobody eligible', { owners: 0 }, 3],
    ['referred, however many owners', { referred: true, owners: 50 }, 1],
    ['pinned, however many owners', { pinned: true, owners: 50 }, 2],
    ['referred and pinned', { referred: true, pinned: true, owners: 1 }, 1],
  ]
  test.each(cases)('default: %s', (_name, facts, expected) => {
    expect(routeClass({ route: { referred: false, pinned: false, owners: 3, ...facts } })).toBe(expected)
  })
})
