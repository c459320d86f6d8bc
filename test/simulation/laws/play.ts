import { replayDecisions } from '#orchestration'
import { SEPARATOR } from './gateway.ts'
import type { LawBroken, WatchedJob } from './laws.ts'
import type { SimulatedNode } from './node.ts'
import { type Scenario, scenarioOf } from './scenario.ts'
import { NO_BUG, type Seams } from './seams.ts'
import { World } from './world.ts'

export type Played = {
  readonly scenario: Scenario
  readonly steps: number
  readonly virtualMs: number
  readonly counts: World['counts'] & { readonly settled: number }
  readonly broken: LawBroken | null
  readonly trace: readonly string[]
}

/** Steps in which a network that nobody disturbs must have come to rest. */
const REST_STEPS = 20_000
/** Law R3: no job waits longer than this beside an idle node that may take it. */
const IDLE_MS = 250
/** Longest that a network at rest may take to be at zero replicas. */
const TO_ZERO_MS = 60_000

/** Plays a story for `steps` events with the laws checked after each, then repairs everything and checks what must hold at rest. */
export async function play(scenario: Scenario, steps: number, seams: Seams = NO_BUG): Promise<Played> {
  const world = new World(scenario, seams)
  const startMs = world.schedule.now()
  let taken = 0
  const isHeld = (): boolean => world.laws.broken === null
  const step = async (): Promise<boolean> => {
    taken += 1
    const isMore = await world.schedule.step()
    checkIdle(world)
    return isMore && isHeld()
  }
  while (taken < steps && (await step()));
  if (isHeld()) {
    world.calm()
    await comeToRest(world, step)
  }
  const { counts, laws, trace, chain } = world
  const settled = chain.batches.reduce((sum, { jobCount }) => sum + jobCount, 0)
  return { scenario, steps: taken, virtualMs: world.schedule.now() - startMs, counts: { ...counts, settled }, broken: laws.broken, trace }
}

export function playSeed(seed: number, steps: number, seams?: Seams): Promise<Played> {
  return play(scenarioOf(seed), steps, seams)
}

type Step = () => Promise<boolean>

async function until(step: Step, isReached: () => boolean): Promise<boolean> {
  for (let i = 0; i < REST_STEPS && !isReached(); i++) if (!(await step())) return isReached()
  return isReached()
}

async function comeToRest(world: World, step: Step): Promise<void> {
  const { laws, disk } = world
  if (!(await until(step, () => isQuiet(world)))) return laws.break('L3', `not at rest after ${REST_STEPS} steps: ${whatIsOpen(world)}`)
  checkJobs(world)
  checkReplay(world)
  await checkZeroAndBack(world, step)
  await checkHolds(world, step)
  if (!(await until(step, () => isSettled(world)))) laws.break('L3', `${disk.unsettled().length} receipts are never settled`)
  checkSettled(world)
}

function isQuiet({ disk, gateway, laws }: World): boolean {
  if (!gateway || gateway.runner.running.size > 0 || gateway.router.openJobs() > 0 || disk.open.size > 0) return false
  return laws.broken === null
}

function whatIsOpen({ disk, gateway }: World): string {
  return `${gateway?.runner.running.size ?? 'no gateway, so no'} jobs run, ${disk.open.size} are open on the disk`
}

/** Law L2 at rest: what the gateway that lives was asked has ended. What a dead one had not written down, nobody was told. */
function checkJobs({ laws, disk, gateway }: World): void {
  for (const [jobId, job] of laws.jobs) {
    if (job.process === gateway?.process && !disk.jobs.has(jobId)) laws.break('L2', `${jobId} has no end on the disk`)
  }
}

/** Law R2: every decision of a job that was paid repeats from what is on the disk. */
function checkReplay({ laws, disk }: World): void {
  const decisions = [...disk.jobs.values()].filter(({ receipt }) => receipt !== null).flatMap(outcome => outcome.decisions)
  const replays = replayDecisions(decisions, [...disk.pieces.values()], SEPARATOR)
  for (const [i, { matches, differences }] of replays.entries())
    if (!matches) laws.break('R2', `${decisions[i]!.record.jobId} does not replay: ${differences.join('; ')}`)
}

/** Law R4: without jobs no replica stays loaded, and a job brings one back. */
async function checkZeroAndBack(world: World, step: Step): Promise<void> {
  const { nodes, laws, schedule } = world
  const untilMs = schedule.now() + TO_ZERO_MS
  const isLinked = ({ signer }: SimulatedNode): boolean => world.gateway?.router.why(signer.address).linked === true
  const isZero = (): boolean => nodes.every(({ warmPods }) => warmPods.size === 0)
  await until(step, () => (isZero() && nodes.every(isLinked)) || schedule.now() > untilMs)
  if (!isZero()) return laws.break('R4', `replicas stay loaded ${TO_ZERO_MS} ms after the last job`)
  // Until its rate allows every key one more request.
  const askedMs = schedule.now() + 5_000
  await until(step, () => schedule.now() > askedMs)
  const [honest] = nodes
  let end: boolean | null = null
  const isReached = (): boolean => end !== null
  // A key that asked for too much, or has spent its money, does not show whether a replica comes back.
  const request = { payer: world.richPayer(), pod: 0, maxTokens: 2, isStream: false, leavesAfterMs: null }
  if (request.payer < 0 || !honest) return
  const preferences = { allow_nodes: [honest.signer.address], on_failure: 'retry' as const, max_attempts: 1 }
  world.request({ ...request, preferences }).then(isServed => {
    end = isServed
  })
  await until(step, isReached)
  if (end !== true) laws.break('R4', 'a job does not bring a replica back from zero')
}

/** Law L3 at rest: a gateway that stops gives every unspent credit back, so nothing is held. */
async function checkHolds(world: World, step: Step): Promise<void> {
  const { gateway, laws, disk } = world
  let isStopped = false
  gateway?.payments.stop().then(() => {
    isStopped = true
  })
  await until(step, () => isStopped)
  for (const [key, amount] of disk.balances)
    if (key.startsWith('allowance:') && amount !== 0n) laws.break('L3', `${key} still holds ${amount}`)
}

function isSettled({ disk }: World): boolean {
  return disk.unsettled().length === 0 && [...disk.batches.values()].every(({ state }) => state === 'confirmed')
}

function checkSettled({ disk, laws }: World): void {
  for (const { jobId } of disk.receipts) if (laws.settledIn(jobId) === undefined) laws.break('L3', `${jobId} was never settled`)
}

/** Law R3, by what the chain and the hardware say, not by what the router believes. */
function checkIdle(world: World): void {
  const { gateway, laws, schedule } = world
  if (!gateway) return
  for (const job of laws.waiting(gateway.process)) {
    const isWronged = hasIdleNode(world, job)
    if (!isWronged) job.wrongedSinceMs = null
    else job.wrongedSinceMs ??= schedule.now()
    const waitedMs = schedule.now() - (job.wrongedSinceMs ?? schedule.now())
    if (waitedMs > IDLE_MS) laws.break('R3', `${job.order.jobId} has waited for ${waitedMs} ms beside an idle node`)
  }
}

function hasIdleNode({ nodes, gateway, isJailed }: World, { order, failed }: WatchedJob): boolean {
  const { podId } = order.pod
  return nodes.some(({ plan, signer, isUp, warmPods }) => {
    if (!isUp || plan.kind === 'weak' || !warmPods.has(podId) || failed.has(signer.address) || isJailed(signer.address)) return false
    const { linked, pods } = gateway!.router.why(signer.address)
    return linked && (pods.find(pod => pod.podId === podId)?.freeSlots ?? 0) > 0
  })
}
