import { type Address, type Device, type DeviceKind, formatUnits, type PodRecord, type Replica } from '#protocol'
import type { ModelStore } from '../pod/lifecycle/model-store.ts'
import type { Sandboxes } from '../pod/sandbox/detect.ts'
import type { RunnerCounts } from './lease-runner.ts'
import type { LinkState } from './link-client.ts'
import type { Registration } from './registration.ts'

/** One line of `heurist node doctor`. `fix` is null when nothing is to be done. */
export type NodeCheck = { readonly name: string; readonly ok: boolean; readonly detail: string; readonly fix: string | null }
export type NodeStatus = { readonly nodeId: Address; readonly checks: readonly NodeCheck[] }

export type StatusFacts = {
  readonly nodeId: Address
  readonly nowMs: number
  readonly routerUrl: string
  readonly link: LinkState
  /** What the chain says, or why it could not be asked. */
  readonly standing: Registration | string
  readonly devices: readonly Device[]
  readonly pods: readonly { readonly pod: PodRecord; readonly objection: string | null }[]
  readonly replicas: readonly Replica[]
  readonly models: Pick<ModelStore, 'describe'>
  readonly sandboxes: Sandboxes
  readonly counts: RunnerCounts
}

/** Why this node gets work or none, in one screen: the first check that fails comes with its fix. */
export function nodeStatus(facts: StatusFacts): NodeStatus {
  const checks = [
    checkLink(facts),
    ...checkStanding(facts),
    checkDevices(facts.devices),
    ...checkSandboxes(facts.sandboxes),
    ...checkPods(facts),
    checkJobs(facts.counts),
  ]
  return { nodeId: facts.nodeId, checks }
}

function check(name: string, ok: boolean, detail: string, fix: string | null = null): NodeCheck {
  return { name, ok, detail, fix: ok ? null : fix }
}

function checkLink({ link, routerUrl, nowMs }: StatusFacts): NodeCheck {
  const seconds = Math.max(0, Math.round((nowMs - link.sinceMs) / 1000))
  if (link.phase === 'up') return check('link', true, `up for ${seconds} s to router ${link.router} at ${routerUrl}`)
  const error = link.lastError ? `; last error: ${link.lastError}` : ''
  return check(
    'link',
    false,
    `${link.phase} for ${seconds} s, router ${routerUrl}${error}`,
    'Start the router, or correct its address in the settings of this node; behind a proxy, HTTP_PROXY and HTTPS_PROXY.',
  )
}

function checkStanding({ standing, nodeId }: StatusFacts): NodeCheck[] {
  if (typeof standing === 'string') {
    return [check('registration', false, `the chain could not be asked: ${standing}`, 'Check the address of the chain (CHAIN_RPC_URL).')]
  }
  const { registered, owner, collateral, minimumCollateral, jailed } = standing
  const enough = collateral >= minimumCollateral
  return [
    check(
      'registration',
      registered,
      registered ? `registered, owner ${owner}` : `${nodeId} is not in the registry`,
      'Run `heurist node start`: it registers.',
    ),
    check(
      'collateral',
      enough,
      `${formatUnits(collateral, 18)} of at least ${formatUnits(minimumCollateral, 18)} HEU`,
      'Add what is missing: heurist collateral add <node> <heu>.',
    ),
    check(
      'standing',
      !jailed,
      jailed ? 'jailed: no routing, no emission, and its collateral stays' : 'not jailed',
      'See the case: heurist collateral show <node>. Repair the cause, or answer the case.',
    ),
  ]
}

function checkDevices(devices: readonly Device[]): NodeCheck {
  const text = devices.map(describeDevice).join('; ')
  return check('devices', devices.length > 0, text || 'none found', 'Start the node; see its log for what detection found.')
}

function describeDevice(device: Device): string {
  const share = device.shareBps < 10_000 ? `, ${device.shareBps / 100} % share` : ''
  const score = device.benchmark ? `, ${(device.benchmark.score / 1e9).toFixed(2)} Gop/s (${device.benchmark.kernel})` : ', not measured'
  const price = device.minNanoCredits === undefined ? '' : `, from ${formatUnits(BigInt(device.minNanoCredits), 9)} credits per 1M units`
  return `${device.id}: ${KINDS[device.kind]} ${device.name}, ${(device.memoryBytes / 2 ** 30).toFixed(1)} GiB${share}, ${device.slots} slots${score}${price}`
}

const KINDS: Readonly<Record<DeviceKind, string>> = { cpu: 'CPU', gpu: 'whole', mig: 'MIG', slice: 'time slice of', group: 'group of' }

/** A node without a sandbox is no faulty node: it serves models and refuses programs. */
function checkSandboxes({ bwrap, container }: Sandboxes): NodeCheck[] {
  const kinds = [
    ['sandbox', 'programs of others', bwrap],
    ['containers', 'programs in containers', container],
  ] as const
  return kinds.map(([name, what, { sandbox, problem }]) =>
    check(name, true, sandbox ? sandbox.description : `none, so ${what} are refused: ${problem}`),
  )
}

function checkPods(facts: StatusFacts): NodeCheck[] {
  if (facts.pods.length === 0) return [check('pods', false, 'the router announced no pods', 'Deploy one: `heurist pod deploy`.')]
  return facts.pods.map(entry => checkPod(entry, facts))
}

function checkPod({ pod, objection }: StatusFacts['pods'][number], { replicas, models }: StatusFacts): NodeCheck {
  const name = `pod ${pod.name}`
  if (objection !== null)
    return check(name, false, objection, 'Allow the pod, or give the node a device that fits; other pods are served all the same.')
  const model = models.describe(pod.manifest)
  const own = replicas.filter(replica => replica.podId === pod.podId)
  const states = own.map(replica => `${replica.state} on ${replica.deviceId}${replica.reason ? ` (${replica.reason})` : ''}`).join(', ')
  const isBroken = own.length > 0 && own.every(replica => replica.state === 'failed')
  const isCrowded = own.every(({ reason }) => reason?.startsWith('no room'))
  return check(
    name,
    !isBroken,
    `${states || 'not hosted'}; model ${model}`,
    isCrowded
      ? 'Nothing: it is loaded when others have gone. For more at once, add a device or allow fewer pods.'
      : 'Correct what the reason says; the node tries again by itself.',
  )
}

function checkJobs({ active, done, failed, lastError }: RunnerCounts): NodeCheck {
  const text = `${active} running, ${done} done, ${failed} failed${lastError ? `; last error: ${lastError}` : ''}`
  return check('jobs', done > 0 || failed === 0, text, 'Every job failed so far; the last error says why.')
}
