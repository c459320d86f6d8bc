import { createLocalBus } from './local.ts'
import { createNatsBus } from './nats.ts'
import type { Bus } from './port.ts'
import { type BusDependencies, createPostgresBus } from './postgres.ts'

export type BusChoice = {
  /** NATS server; empty: none. */
  readonly natsUrl: string
  /** Database that the network's other processes share; empty: this process is the whole network. */
  readonly sharedDatabaseUrl: string
}

/**
 * NATS where there is one, else the shared database, else this process alone: a second server is never forced on anyone.
 * @throws HeuristError BUS_UNAVAILABLE
 * @example
 * const bus = await openBus({ natsUrl: config.natsUrl, sharedDatabaseUrl: config.databaseUrl }, { logger, clock: systemClock })
 */
export async function openBus(choice: BusChoice, dependencies: BusDependencies): Promise<Bus> {
  if (choice.natsUrl !== '') return createNatsBus({ url: choice.natsUrl }, dependencies)
  if (choice.sharedDatabaseUrl !== '') return createPostgresBus({ connectionString: choice.sharedDatabaseUrl }, dependencies)
  return createLocalBus(dependencies)
}
