import { z } from 'zod'
import { addressSchema } from '#protocol'

/** `.heurist/dev.json` (DESIGN §14): where the network that `up` started can be reached. Written at `ready`, removed at shutdown. */
export const devFileSchema = z.object({
  gatewayUrl: z.string().url(),
  consoleUrl: z.string().url(),
  metricsUrl: z.string().url(),
  rpcUrl: z.string().url(),
  chainId: z.number().int(),
  apiKey: z.string(),
  adminKey: z.string(),
  developer: addressSchema,
  contracts: z.record(z.string(), addressSchema),
  models: z.object({ chat: z.string(), embedding: z.string() }),
  pids: z.record(z.string(), z.number().int()),
})
export type DevFile = z.output<typeof devFileSchema>
