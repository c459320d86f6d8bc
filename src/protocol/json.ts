/** JSON with bigints as decimal strings, as every parser of ours reads them back. @param indent spaces of one level; 0: one line */
export function jsonText(value: unknown, indent = 0): string {
  return JSON.stringify(value, (_key, member) => (typeof member === 'bigint' ? member.toString() : member), indent)
}
