import { EAFNOSUPPORT, ENOSYS, EPERM, FAMILIES, NAMESPACE_FLAGS } from './seccomp.ts'
import { DENIED } from './syscalls.ts'

type Argument = { readonly index: number; readonly value: number; readonly valueTwo?: number; readonly op: string }
type Rule = { readonly names: readonly string[]; readonly action: string; readonly errnoRet: number; readonly args?: readonly Argument[] }

/** Above the last family that a rule of its own denies. */
const LAST_FAMILY = Math.max(...FAMILIES)

function denied(names: readonly string[], errnoRet: number, args?: readonly Argument[]): Rule {
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet, ...(args && { args }) }
}

function bitsOf(mask: number): number[] {
  return Array.from({ length: 31 }, (_, bit) => 2 ** bit).filter(value => (mask & value) !== 0)
}

/** The same walls as `seccompFilter`, as the profile that container engines take (libseccomp's words). */
export function seccompProfile(): string {
  const families = Array.from({ length: LAST_FAMILY + 1 }, (_, family) => family).filter(family => !FAMILIES.includes(family))
  const syscalls = [
    denied(Object.keys(DENIED), EPERM),
    denied(['clone3'], ENOSYS),
    ...bitsOf(NAMESPACE_FLAGS).map(bit => denied(['clone'], EPERM, [{ index: 0, value: bit, valueTwo: bit, op: 'SCMP_CMP_MASKED_EQ' }])),
    ...families.map(family => denied(['socket'], EAFNOSUPPORT, [{ index: 0, value: family, op: 'SCMP_CMP_EQ' }])),
    denied(['socket'], EAFNOSUPPORT, [{ index: 0, value: LAST_FAMILY, op: 'SCMP_CMP_GT' }]),
  ]
  return JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls })
}
