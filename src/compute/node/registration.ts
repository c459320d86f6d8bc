import { type BackoffOptions, type Clock, fullJitterMs, type Logger, type Random, type Signer } from '#platform'
import { type Address, HeuristError, messageOf } from '#protocol'
import { pause } from '../pod/lifecycle/pause.ts'

/** What the chain says about this node right now. `collateral` and `minimumCollateral` in HEU wei. */
export type Registration = {
  readonly registered: boolean
  readonly jailed: boolean
  readonly owner: Address | null
  readonly collateral: bigint
  readonly minimumCollateral: bigint
}

/** The node's view of the registry on chain; `bin` gives the real one. */
export type NodeRegistration = {
  read(nodeId: Address): Promise<Registration>
  /** Registers the hot key of `node` under the owner's key with collateral. Idempotent: a node that is registered already is no error. */
  register(node: Signer): Promise<void>
}

export type RegistrationDependencies = {
  readonly registration: NodeRegistration
  readonly signer: Signer
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const BACKOFF: BackoffOptions = { baseMs: 1000, maxMs: 60_000 }

/**
 * Registered, or registers with collateral; tries again until it works or `signal` aborts, and says each time what is wrong.
 * A jailed node is returned as it is: it keeps its link so that its owner can see why it gets no work.
 */
export async function ensureRegistered(dependencies: RegistrationDependencies, signal: AbortSignal): Promise<Registration> {
  const { clock, random, logger, signer } = dependencies
  for (let attempt = 0; ; attempt++) {
    try {
      return await registerOnce(dependencies)
    } catch (error) {
      signal.throwIfAborted()
      const retryInMs = fullJitterMs(attempt, BACKOFF, random)
      logger.error({ node: signer.address, reason: messageOf(error), retryInMs }, 'the node could not be registered')
      await pause(retryInMs, clock, signal)
    }
  }
}

async function registerOnce({ registration, signer, logger }: RegistrationDependencies): Promise<Registration> {
  const before = await registration.read(signer.address)
  if (before.registered) return before
  await registration.register(signer)
  const after = await registration.read(signer.address)
  if (!after.registered) {
    throw new HeuristError<'NODE_NOT_REGISTERED'>(
      'NODE_NOT_REGISTERED',
      `The registration of ${signer.address} was sent, but the registry does not show it yet. Wait for the transaction, and check that the owner has enough HEU.`,
      { retryable: true },
    )
  }
  logger.info({ node: signer.address, owner: after.owner, collateral: after.collateral.toString() }, 'node registered')
  return after
}
