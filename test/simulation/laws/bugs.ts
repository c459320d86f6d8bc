import { type JobOrder, type JobSink, keccak256 } from '#protocol'
import type { Law } from './laws.ts'
import { createRepeatingLinks } from './repeating-link.ts'
import { NO_BUG, type Seams } from './seams.ts'

/** A fault of a kind that people really write, planted around a port: the laws must notice it. */
export type PlantedBug = { readonly name: string; readonly law: Law; readonly seams: Seams }

const bug = (law: Law, name: string, seams: Partial<Seams>): PlantedBug => ({ law, name, seams: { ...NO_BUG, ...seams } })

/** The router's face with another ear on each job. */
function hearing(change: (sink: JobSink, order: JobOrder, again: () => void) => Partial<JobSink>): Pick<Seams, 'router'> {
  return {
    router: router => ({
      ...router,
      dispatch(order, sink) {
        const again = (): void => void router.dispatch(order, sink)
        return router.dispatch(order, { ...sink, ...change(sink, order, again) })
      },
    }),
  }
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  bug('L1', 'a posting of small amounts is dropped as dust', {
    disk(disk) {
      const { post } = disk
      disk.post = posting => {
        if (!posting.account.startsWith('earned:deployer')) post(posting)
      }
    },
  }),
  bug('L2', 'the end of a job replaces an earlier one, and its start stays open', {
    disk(disk) {
      disk.isEnded = () => false
      disk.closeJob = () => undefined
    },
  }),
  bug('L3', 'a failed job is charged', {
    jobs: jobs => ({
      ...jobs,
      finish: outcome => jobs.finish(outcome.state === 'failed' ? { ...outcome, price: 1n } : outcome),
    }),
  }),
  bug('L3', 'a receipt that is in a batch is found unsettled again', {
    disk(disk) {
      disk.unsettled = () => [...disk.receipts]
      disk.isFree = () => true
    },
  }),
  bug('L3', 'the hold of a failed job is not released', {
    payments: payments => ({
      ...payments,
      hold: async request => ({ ...(await payments.hold(request)), release: () => undefined }),
    }),
  }),
  bug('L4', 'a deposit that is told twice is applied twice', {
    disk(disk) {
      disk.isKnown = event => event.kind !== 'deposit' && disk.businessIds.has(event.businessId)
    },
  }),
  bug('L5', 'a job is acknowledged before it is on the disk', {
    jobs: jobs => ({
      ...jobs,
      async finish(outcome) {
        jobs.finish(outcome).catch(() => undefined)
      },
    }),
  }),
  bug('L6', 'twice the maximum is held', {
    payments: payments => ({ ...payments, hold: request => payments.hold({ ...request, credits: 2n * request.credits }) }),
  }),
  bug('L6', 'a job is charged more than was held', {
    jobs: jobs => ({
      ...jobs,
      finish: outcome => jobs.finish(outcome.state === 'succeeded' ? { ...outcome, price: outcome.start.maxPrice + 1n } : outcome),
    }),
  }),
  bug('L7', 'a stream that broke is retried in silence', {
    ...hearing((sink, _, again) => ({ failed: failure => (failure.startedOutput ? again() : sink.failed(failure)) })),
  }),
  bug('L8', 'a receipt of another lease is taken', {
    ...hearing(sink => ({
      completed(completion) {
        const { signedReceipt } = completion
        const receipt = { ...signedReceipt.receipt, leaseId: keccak256(signedReceipt.receipt.leaseId) }
        sink.completed({ ...completion, signedReceipt: { ...signedReceipt, routerSignature: signedReceipt.routerSignature, receipt } })
      },
    })),
  }),
  bug('R1', "a node's memory is counted in the wrong unit", {
    facts: facts => ({ ...facts, devices: facts.devices.map(device => ({ ...device, memoryBytes: device.memoryBytes * 1024 })) }),
  }),
  bug('R2', 'a part of the journal is lost', {
    journal: journal => ({ ...journal, append: pieces => journal.append(pieces.filter(({ number }) => number % 2 === 0)) }),
  }),
  bug('R3', 'the collateral of every second node is read in the wrong unit', {
    standing: standing => ({ ...standing, covered: BigInt(standing.nodeId) % 2n === 0n }),
  }),
  bug('R4', 'nodes are never told to unload', {
    router: router => ({ ...router, scale: (nodeId, podId, action) => action === 'load' && router.scale(nodeId, podId, action) }),
  }),
  bug('N1', 'a cancellation is not passed on', {
    router: router => ({
      ...router,
      dispatch: (order, sink) => ({ ...router.dispatch(order, sink), cancel: () => undefined }),
    }),
  }),
  bug('N2', 'after a cut a batch is taken twice', { link: createRepeatingLinks() }),
  bug('R5', 'the clock of the rate limit runs ten times too fast', {
    limiterClock: clock => ({ ...clock, now: () => 10 * clock.now() }),
  }),
]
