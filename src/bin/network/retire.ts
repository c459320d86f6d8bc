import { leasedInstances, returnEarlierAllowances } from '#application'
import { type Clock, type Logger, repeat } from '#platform'
import { domainSeparator, jobDomain, messageOf } from '#protocol'
import { createDiscardSigner } from './discards.ts'
import type { Infrastructure } from './infrastructure.ts'
import { underFreeName } from './names.ts'
import { endOrphanedJobs } from './recovery.ts'

export type RetirementOptions = {
  /** How long no process must have had a gateway's name. */
  readonly retireMs: number
}
type Dependencies = {
  readonly infrastructure: Pick<Infrastructure, 'chain' | 'database' | 'databaseUrl' | 'signers'>
  readonly clock: Clock
  readonly logger: Logger
}

/** Looks in a part of that time, so that one look alone never decides. */
const LOOKS = 4

/**
 * Gives back what gateways had leased that never came back: their open jobs end as failed, and the credits are their developers' again.
 * The leading sequencer does it, under the gateway's name, so that one that starts meanwhile waits. A gateway that was cut off all this
 * time and still runs can spend nothing of it: the ledger overdraws no allowance.
 */
export function createRetirement({ retireMs }: RetirementOptions, dependencies: Dependencies) {
  const { infrastructure, clock, logger } = dependencies
  const { chain, database, databaseUrl } = infrastructure
  const separator = domainSeparator(jobDomain(chain.chainId, chain.contracts.JobSettlement))
  const signDiscard = createDiscardSigner(infrastructure, clock)
  const freeSinceMs = new Map<string, number>()

  async function retire(instance: string): Promise<void> {
    const owner = { instance, epoch: `retired-${clock.now()}` }
    await endOrphanedJobs(`${instance}:${owner.epoch}`, { database, separator, signDiscard, clock, logger })
    const allowances = await returnEarlierAllowances(owner, { ledger: database.ledger, clock })
    logger.warn({ instance, allowances }, 'a gateway did not come back; the credits that it had leased are free again')
  }

  async function look(instance: string): Promise<void> {
    const since = freeSinceMs.get(instance) ?? clock.now()
    const isDue = clock.now() - since >= retireMs
    const isFree = await underFreeName(instance, databaseUrl, dependencies, async () => {
      if (isDue) await retire(instance)
    })
    if (isFree && !isDue) freeSinceMs.set(instance, since)
    else freeSinceMs.delete(instance)
  }

  /** Looks once after every gateway that has something leased. */
  async function round(): Promise<void> {
    const instances = await leasedInstances(database.ledger)
    for (const instance of freeSinceMs.keys()) if (!instances.includes(instance)) freeSinceMs.delete(instance)
    for (const instance of instances) await look(instance)
  }

  return {
    round,
    /** Answers how to stop. */
    start: () =>
      repeat(clock, retireMs / LOOKS, round, error =>
        logger.warn({ reason: messageOf(error) }, 'it could not be seen which gateways are gone; it is looked again'),
      ),
  }
}
