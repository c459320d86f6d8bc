import type { NodeId, PodId } from '#protocol'

/** One finished job as the router saw it; `alongside` are the jobs that its node ran at its end, itself included. */
export type SeenJob = { readonly inputUnits: number; readonly outputUnits: number; readonly elapsedMs: number; readonly alongside: number }

type Version = { readonly nodeId: NodeId; readonly podId: PodId; readonly manifestHash: string }

/**
 * What nodes really did, against what they claim (wp §2.2.2, "efficiency"): a node ranks by its claim until its jobs show that it is slower.
 * A faster one gains nothing by them, so that nobody rises by being busy.
 */
export type Speeds = {
  /** True when the node's speed is now known differently. */
  saw(version: Version, job: SeenJob): boolean
  /** Units per second to rank by, at most what is claimed. Survives the node's link: who comes back is who left. */
  believed(version: Version, claimed: number): number
}

/** Reading a token of the prompt is a quarter of the work of writing one: engines read several times faster, and nobody is ranked by prompts. */
const INPUT_WORK = 1 / 4
/** Work after which there is a figure: a job of three tokens measures the network. */
const SAMPLE_WORK = 64
/** Of its best showing a node keeps this part with each worse one: a slow client or a full machine is forgiven, a slow device is found. */
const FADE = 0.9
/** Figures that are kept; beyond them the oldest go. */
const MAX_FIGURES = 200_000

/** Jobs beside each other, clients and machines cost an honest node up to half of what it measured alone. */
const FORGIVEN = 2

/** Part of a claim that jobs bear out, 0 to 1. */
export function borneOut(believed: number, claimed: number): number {
  return claimed > 0 ? Math.min(1, (FORGIVEN * believed) / claimed) : 1
}

type Figure = { manifestHash: string; work: number; elapsedMs: number; unitsPerSecond: number | null }

export function createSpeeds(): Speeds {
  const figures = new Map<string, Figure>()

  function figureOf({ nodeId, podId, manifestHash }: Version): Figure {
    const key = `${nodeId} ${podId}`
    const known = figures.get(key)
    if (known?.manifestHash === manifestHash) return known
    const figure: Figure = { manifestHash, work: 0, elapsedMs: 0, unitsPerSecond: null }
    figures.delete(key)
    figures.set(key, figure)
    const [oldest] = figures.keys()
    if (figures.size > MAX_FIGURES && oldest !== undefined) figures.delete(oldest)
    return figure
  }

  return {
    saw(version, { inputUnits, outputUnits, elapsedMs, alongside }) {
      const figure = figureOf(version)
      figure.work += outputUnits + inputUnits * INPUT_WORK
      figure.elapsedMs += elapsedMs / alongside
      // Too fast for the clock: more jobs will tell.
      if (figure.work < SAMPLE_WORK || figure.elapsedMs === 0) return false
      const shown = (figure.work * 1000) / figure.elapsedMs
      figure.unitsPerSecond = figure.unitsPerSecond === null ? shown : Math.max(shown, figure.unitsPerSecond * FADE)
      figure.work = 0
      figure.elapsedMs = 0
      return true
    },
    believed({ nodeId, podId, manifestHash }, claimed) {
      const figure = figures.get(`${nodeId} ${podId}`)
      if (figure?.manifestHash !== manifestHash || figure.unitsPerSecond === null) return claimed
      return Math.min(claimed, figure.unitsPerSecond)
    },
  }
}
