import { z } from 'zod'
import type { SettingStore } from '#platform'
import { addressSchema, HeuristError } from '#protocol'
import { contractsSchema } from './facts.ts'

/** `NETWORK_UNKNOWN`: the database does not say which contracts are its network's. */
export type NetworkRecordErrorCode = 'NETWORK_UNKNOWN'

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

export async function writeNetwork(settings: SettingStore, record: NetworkRecord): Promise<void> {
  await settings.put(SETTING, record)
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
