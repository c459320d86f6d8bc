/** One place where two manifests differ; null stands for "not there". */
export type Change = { readonly path: string; readonly before: string | null; readonly after: string | null }

/** Every value that is no object, by its path; an empty object or list is a value. */
function leavesOf(value: unknown, path: string, leaves: Map<string, string>): Map<string, string> {
  const isTree = value !== null && typeof value === 'object' && Object.keys(value).length > 0
  if (!isTree) return leaves.set(path, JSON.stringify(value) ?? 'null')
  for (const [key, member] of Object.entries(value)) leavesOf(member, path === '' ? key : `${path}.${key}`, leaves)
  return leaves
}

/** What differs between two manifests in their JSON form, in the order of their paths. */
export function diffManifests(before: unknown, after: unknown): Change[] {
  const old = before === null ? new Map<string, string>() : leavesOf(before, '', new Map())
  const fresh = leavesOf(after, '', new Map())
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .sort()
    .map(path => ({ path, before: old.get(path) ?? null, after: fresh.get(path) ?? null }))
    .filter(change => change.before !== change.after)
}

/** `+ path: value`, `- path: value`, `~ path: old -> new`. */
export function changeText({ path, before, after }: Change): string {
  if (before === null) return `+ ${path}: ${after}`
  return after === null ? `- ${path}: ${before}` : `~ ${path}: ${before} -> ${after}`
}
