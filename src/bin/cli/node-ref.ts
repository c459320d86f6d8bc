import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { openKey } from '#compute'
import { isRefusal } from '#platform/chain'
import { type Address, addressSchema, HeuristError } from '#protocol'
import { openHome } from '../home.ts'
import type { CliErrorCode } from './client.ts'
import { type Context, usageError } from './commands.ts'
import { localOwner, type Options, type OwnAccount, openOwnAccount } from './transact.ts'

const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/
const NODE_ID = /^0x[0-9a-fA-F]{40}$/
const REGISTRY_ID = /^[1-9][0-9]{0,17}$/

/** Names of the nodes that were ever started from this folder. */
export function localNodes(home: string): string[] {
  const { nodes } = openHome(home)
  return readdirSync(nodes).filter(name => existsSync(join(nodes, name, 'status.json')) || existsSync(join(nodes, name, 'key.json')))
}

/** The address of a node by that address, or by its name on this machine. */
function hotKeyOf(home: string, node: string): Address | null {
  if (NODE_ID.test(node)) return addressSchema.parse(node.toLowerCase())
  const path = join(openHome(home).nodes, node, 'key.json')
  return NODE_NAME.test(node) && existsSync(path) ? openKey(path).signer.address : null
}

/**
 * The registry's number of a node that a person names: by that number, by its address, or by its name on this machine.
 * @throws HeuristError CLI_USAGE, CLI_NOT_FOUND
 */
export async function registryIdOf(
  { config }: Pick<Context, 'config'>,
  { chain }: Pick<OwnAccount, 'chain'>,
  node: string,
): Promise<bigint> {
  if (REGISTRY_ID.test(node)) return demandRegistered(chain, BigInt(node))
  const hotKey = hotKeyOf(config.home, node)
  if (!hotKey)
    throw usageError(`"${node}" is no node: give its number in the registry, its address, or the name of a node of this machine.`)
  const standing = await chain.nodeStanding(hotKey)
  if (standing) return standing.registryId
  throw new HeuristError<CliErrorCode>(
    'CLI_NOT_FOUND',
    `The registry does not know the node ${hotKey}. A node registers when it starts: heurist node start`,
  )
}

async function demandRegistered(chain: OwnAccount['chain'], registryId: bigint): Promise<bigint> {
  try {
    await chain.read('NodeRegistry', 'getNode', [registryId])
    return registryId
  } catch (error) {
    if (!isRefusal(error, 'NodeRegistry_UnknownNode')) throw error
    throw new HeuristError<CliErrorCode>('CLI_NOT_FOUND', `The registry has no node ${registryId}. See: heurist node list`, {
      cause: error,
    })
  }
}

/** The account that acts for a node's owner: that of `--as`, or the owner's key when this machine keeps it. */
export function ownerAccount(context: Context, owner: string, options: Options): Promise<OwnAccount> {
  return openOwnAccount(context, { as: options.as ?? localOwner(context, addressSchema.parse(owner)) })
}
