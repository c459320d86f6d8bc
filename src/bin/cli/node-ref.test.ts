import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openKey } from '#compute'
import type { Chain } from '#platform'
import { type Address, HeuristError } from '#protocol'
import { loadConfig } from '../config.ts'
import { openHome } from '../home.ts'
import { registryIdOf } from './node-ref.ts'

const folder = mkdtempSync(join(tmpdir(), 'heurist-node-ref-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const config = { ...loadConfig(), home: folder }
const mine = openKey(join(openHome(folder).nodes, 'mine', 'key.json')).signer.address
const known = new Map<Address, bigint>([[mine, 7n]])
const chain = {
  nodeStanding: async (nodeId: Address) => (known.has(nodeId) ? { registryId: known.get(nodeId) } : null),
  read: async (_contract: string, _call: string, [id]: readonly [bigint]) => {
    if (id === 7n) return {}
    throw new HeuristError('CHAIN_REVERTED', 'refused', { payload: { error: 'NodeRegistry_UnknownNode', args: [id] } })
  },
} as unknown as Chain // cast: registryIdOf reads nothing else
const idOf = (node: string) => registryIdOf({ config }, { chain }, node)

describe('registryIdOf', () => {
  test('default: a name of this machine, an address in any case, and a number are the same node', async () => {
    expect(await idOf('mine')).toBe(7n)
    expect(await idOf(mine)).toBe(7n)
    expect(await idOf(mine.toUpperCase().replace('0X', '0x'))).toBe(7n)
    expect(await idOf('7')).toBe(7n)
  })

  test.each(['', 'nobody', '../mine', 'nodes/mine', '.', '0x12', '0', '-1', '1e3', '9'.repeat(40), '__proto__', 'mine\0'])(
    'error: %j is no node',
    async node => {
      await expect(idOf(node)).rejects.toMatchObject({ code: 'CLI_USAGE', message: expect.stringContaining('the name of a node') })
    },
  )

  test('error: a node that the registry does not know is named', async () => {
    await expect(idOf('8')).rejects.toMatchObject({ code: 'CLI_NOT_FOUND', message: expect.stringContaining('no node 8') })
    await expect(idOf(`0x${'ab'.repeat(20)}`)).rejects.toMatchObject({ code: 'CLI_NOT_FOUND', message: expect.stringContaining('abab') })
  })
})
