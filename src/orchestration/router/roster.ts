import type { PodRecord } from '#protocol'
import { fixedFit } from './filter.ts'
import type { Hosting } from './hosting.ts'
import { createField, type Field, setRow } from './rank.ts'

export type RosterColumns = {
  readonly field: Field
  /** Free slots of rows without a refusal that holds for every job; 0 for the others. */
  readonly open: Int32Array
  /** Room for the eligible rows of the decision that is being taken. */
  readonly scratch: Int32Array
}

/**
 * All nodes that host one pod, as columns that filter and rank run over. A hosting's row is its position in `hostings`;
 * `update` copies what changed into the columns.
 */
export type Roster = {
  readonly hostings: readonly Hosting[]
  columns(): RosterColumns
  /** Rows are judged against this version of the pod. */
  judgeFor(pod: PodRecord): void
  add(hosting: Hosting): void
  remove(hosting: Hosting): void
  update(hosting: Hosting): void
}

const FIRST_CAPACITY = 8

export function createRoster(): Roster {
  const hostings: Hosting[] = []
  let field = createField(FIRST_CAPACITY)
  let open = new Int32Array(FIRST_CAPACITY)
  let scratch = new Int32Array(FIRST_CAPACITY)
  let judgedFor: PodRecord | null = null

  function place(row: number, hosting: Hosting): void {
    const isOpen = hosting.fixedRefusals.length === 0 && (judgedFor === null || fixedFit(hosting, judgedFor).length === 0)
    hosting.row = row
    hostings[row] = hosting
    setRow(field, row, hosting)
    open[row] = isOpen ? Math.max(0, hosting.slots - hosting.busy) : 0
  }

  function placeAll(): void {
    for (const [row, hosting] of hostings.entries()) place(row, hosting)
  }

  function grow(): void {
    const capacity = 2 * open.length
    field = createField(capacity)
    open = new Int32Array(capacity)
    scratch = new Int32Array(capacity)
    placeAll()
  }

  return {
    hostings,
    columns: () => ({ field, open, scratch }),
    judgeFor(pod) {
      const isSame = judgedFor === pod || judgedFor?.manifestHash === pod.manifestHash
      judgedFor = pod
      if (!isSame) placeAll()
    },
    add(hosting) {
      if (hostings.length === open.length) grow()
      place(hostings.length, hosting)
    },
    remove(hosting) {
      const last = hostings.pop()
      field.nodeIds.pop()
      // The order of rows does not matter (rank is independent of it), so the last takes the gap.
      if (last && last !== hosting) place(hosting.row, last)
    },
    update: hosting => place(hosting.row, hosting),
  }
}
