import { describe, expect, test } from 'vitest'
import type { NodeId } from '#protocol'
import { KnownRouters, orderedRouters } from './routers.ts'

const nodes = Array.from({ length: 300 }, (_, index): NodeId => `0x${index.toString(16).padStart(40, '0')}`)
const routers = ['ws://a/node', 'ws://b/node', 'ws://c/node']

describe('the routers of a node', () => {
  test('default: every node has all of them, and each router about its share', () => {
    const own = nodes.map(node => orderedRouters(node, routers)[0])
    for (const url of routers) expect(own.filter(each => each === url).length).toBeGreaterThan(60)
    expect(orderedRouters(nodes[0]!, routers).toSorted()).toEqual(routers)
  })
  test('behavior: the order of the list does not matter', () => {
    for (const node of nodes) expect(orderedRouters(node, routers.toReversed())).toEqual(orderedRouters(node, routers))
  })
  test('property: without one router its nodes go to their standby, and no other moves', () => {
    const rest = routers.slice(1)
    for (const node of nodes) {
      const [own, standby] = orderedRouters(node, routers)
      expect(orderedRouters(node, rest)[0]).toBe(own === routers[0] ? standby : own)
    }
  })

  test('behavior: one that is not named any more comes last, those that went last first, and few of them', () => {
    const known = new KnownRouters(nodes[0]!)
    expect(known.order(routers)).toEqual(orderedRouters(nodes[0]!, routers))
    expect(known.order(routers.slice(2)).slice(0, 1)).toEqual(routers.slice(2))
    expect(known.order(routers.slice(2)).toSorted()).toEqual(routers)
    expect(known.order(routers.slice(1)).at(-1)).toBe(routers[0])
    for (let index = 0; index < 20; index++) known.order([`ws://${index}/node`])
    const [now, ...former] = known.order(['ws://19/node'])
    expect([now, former[0], former.length]).toEqual(['ws://19/node', 'ws://18/node', 8])
  })
})
