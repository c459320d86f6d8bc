import { z } from 'zod'
import type { SettingStore } from '#platform'
import { addressSchema, HeuristError } from '#protocol'
import { contractsSchema } from './facts.ts'

/** `NETWORK_UNKNOWN`: the database does not say which contracts are its network's. `NETWORK_OTHER`: it says that others are. */
export type NetworkRecordErrorCode = 'NETWORK_UNKNOWN' | 'NETWORK_OTHER'

/** What every process of a network must agree on, kept in the database that they share. */
const networkRecordSchema = z.object({
  chainId: z.number().int(),
  contracts: contractsSchema,
  fromBlock: z.number().int().nonnegative(),
  isDevChain: z.boolean(),
  router: addressSchema,
  developer: addressSchema,
})
export type NetworkRecord = z.output<typeof networkRecordSchema>

const SETTING = 'network'

/** Writes down whose database this is. @throws HeuristError NETWORK_OTHER when it is another network's: credits of one would be spent on the other */
export async function claimNetwork(settings: SettingStore, record: NetworkRecord): Promise<void> {
  const { data: known } = networkRecordSchema.safeParse(await settings.get(SETTING))
  if (known && networkName(known) !== networkName(record)) {
    throw new HeuristError<NetworkRecordErrorCode>(
      'NETWORK_OTHER',
      `This database belongs to the network with ${networkName(known)}, and this start is of ${networkName(record)}. ` +
        'Nothing was changed. Correct DATABASE_URL, CHAIN_RPC_URL or HEURIST_HOME, or give a new network a database of its own.',
    )
  }
  await settings.put(SETTING, record)
}

function networkName({ chainId, contracts, router, developer }: NetworkRecord): string {
  return `the contract JobSettlement ${contracts.JobSettlement} on chain ${chainId}, router ${router} and developer ${developer}`
}

/** @throws HeuristError NETWORK_UNKNOWN */
export async function readNetwork(settings: SettingStore): Promise<NetworkRecord> {
  const parsed = networkRecordSchema.safeParse(await settings.get(SETTING))
  if (parsed.success) return parsed.data
  throw new HeuristError<NetworkRecordErrorCode>(
    'NETWORK_UNKNOWN',
    'This database does not know its network: no contracts were deployed with it. Run "heurist infrastructure" (or "heurist up") with this DATABASE_URL once.',
  )
}
