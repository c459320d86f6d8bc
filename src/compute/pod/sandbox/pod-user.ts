/** Who a program is to the kernel when the node runs as root: from a range that systemd leaves free, so that no file belongs to it. */
const FIRST_UID = 1_879_048_192
const UIDS_PER_NODE = 64
const MAX_PIDS = 2 ** 22

let started = 0

/** Counts the programs of this node, whatever keeps them in. */
export function nextProgram(): number {
  return started++
}

/** A user of its own for each program that runs. */
export function uidOf(program: number): number {
  return FIRST_UID + (process.pid % MAX_PIDS) * UIDS_PER_NODE + (program % UIDS_PER_NODE)
}
