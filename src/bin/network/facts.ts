import { request } from 'undici'
import { z } from 'zod'
import { CONTRACT_NAMES } from '#platform'
import { addressSchema, HeuristError, messageOf } from '#protocol'
import type { CliErrorCode } from '../cli/client.ts'
import { readDevFile } from '../cli/client.ts'
import type { Config } from '../config.ts'

/** An address for each contract of the deployment. */
export const contractsSchema = z.record(z.enum(CONTRACT_NAMES), addressSchema)

/** What a node or an auditor must know of a network to take part: the gateway's public status. */
export const networkFactsSchema = z.object({
  chainId: z.number().int(),
  contracts: contractsSchema,
  rpcUrl: z.url(),
  nodeUrl: z.url(),
  nodeUrls: z.array(z.url()),
  router: addressSchema,
  developer: addressSchema,
  isDevChain: z.boolean(),
  assets: z.array(z.object({ address: addressSchema, symbol: z.string(), decimals: z.number().int() })),
})
export type NetworkFacts = z.output<typeof networkFactsSchema>

const TRIES = 20
const PAUSE_MS = 250

/** Asks the configured gateway, or the one that runs here. Waits a moment for one that is just starting. @throws HeuristError CLI_UNREACHABLE */
export async function readNetworkFacts(config: Config): Promise<NetworkFacts> {
  const base = (config.gatewayUrl || readDevFile(config)?.gatewayUrl || `http://${config.host}:${config.gatewayPort}/v1`).replace(
    /\/v1\/?$/,
    '',
  )
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await request(`${base}/api/status`)
      return networkFactsSchema.parse(await response.body.json())
    } catch (cause) {
      if (attempt === TRIES) {
        throw new HeuristError<CliErrorCode>(
          'CLI_UNREACHABLE',
          `${base} does not tell about its network (${messageOf(cause)}). Is it running? Name another with HEURIST_GATEWAY_URL.`,
          { cause },
        )
      }
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
    }
  }
}
