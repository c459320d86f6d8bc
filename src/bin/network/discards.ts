import { type Chain, type Clock, signAlone } from '#platform'
import { type DiscardReceipt, discardReceiptDigest, domainSeparator, jobDomain, type SignedDiscardReceipt, ZERO_BYTES32 } from '#protocol'
import type { RoleSigners } from './roles.ts'

type FailedJob = Pick<DiscardReceipt, 'jobId' | 'podId' | 'requestHash' | 'payer'>

/** Proof, signed with the network's router key, that a job cost nothing: for jobs whose router can not say it, nor which decision was its last. */
export type DiscardSigner = (job: FailedJob, facts: Pick<DiscardReceipt, 'attempts' | 'reason'>) => SignedDiscardReceipt

type Network = {
  readonly chain: Pick<Chain, 'chainId'> & { readonly contracts: Pick<Chain['contracts'], 'JobSettlement'> }
  readonly signers: Pick<RoleSigners, 'router'>
}

export function createDiscardSigner({ chain, signers }: Network, clock: Clock): DiscardSigner {
  const separator = domainSeparator(jobDomain(chain.chainId, chain.contracts.JobSettlement))
  const { router } = signers
  return ({ jobId, podId, requestHash, payer }, { attempts, reason }) => {
    const discard = { jobId, podId, requestHash, payer, decisionHash: ZERO_BYTES32, attempts, reason, discardedAtMs: clock.now() }
    return { discard, router: router.address, routerSignature: signAlone(router, separator, discardReceiptDigest(separator, discard)) }
  }
}
