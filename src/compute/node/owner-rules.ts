import type { PodRecord } from '#protocol'
import type { Sandboxes } from '../pod/sandbox/detect.ts'

export type OwnerRules = {
  /** Names, ids or deployers; null allows all. */
  readonly allowedPods: readonly string[] | null
  /** Names or ids of pods whose program may use this machine's network. A deployer is not enough: it says nothing of the program. */
  readonly networkPods: readonly string[]
}

/** Why the owner does not allow the pod, or what it asks for; null when he does. */
export function ownerObjection(pod: PodRecord, { allowedPods, networkPods }: OwnerRules): string | null {
  const isNamed = (list: readonly string[], names: readonly string[]): boolean => list.some(entry => names.includes(entry.toLowerCase()))
  if (allowedPods !== null && !isNamed(allowedPods, [pod.name, pod.podId, pod.deployer]))
    return `The owner of this node does not allow pod ${pod.name}. Add it to the node's allowed pods to serve it.`
  if (pod.manifest.spec.command?.network === 'host' && !isNamed(networkPods, [pod.name, pod.podId]))
    return `Pod ${pod.name} asks for the network, and the owner of this node does not grant it. To grant it: heurist node start --allow-network ${pod.name}`
  return null
}

/** Why this machine can not keep the pod's program in; null when it can, or when the pod has none. A program never runs without. */
export function sandboxObjection({ name, manifest }: PodRecord, sandboxes: Sandboxes): string | null {
  const { command, isolation = 'bwrap' } = manifest.spec
  if (!command) return null
  if (isolation === 'none') return `Pod ${name} asks for the isolation "none", and no node runs a stranger's program without.`
  const { sandbox, problem } = sandboxes[isolation]
  return sandbox ? null : `This node can not run the program of pod ${name}: ${problem}`
}
