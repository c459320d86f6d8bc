import { CLONE, CLONE3, DENIED, SOCKET } from './syscalls.ts'

export const SANDBOX_ARCHITECTURES = ['x64', 'arm64'] as const
export type SandboxArchitecture = (typeof SANDBOX_ARCHITECTURES)[number]

/** include/uapi/linux/audit.h */
const AUDIT_ARCH: Readonly<Record<SandboxArchitecture, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 }
/** include/uapi/linux/bpf_common.h: load a word, jump if equal, if at least, if any bit is set, return. */
const LOAD = 0x20
const JUMP_EQUAL = 0x15
const JUMP_AT_LEAST = 0x35
const JUMP_ANY_BIT = 0x45
const RETURN = 0x06
/** include/uapi/linux/seccomp.h */
const ALLOW = 0x7fff_0000
const KILL_PROCESS = 0x8000_0000
const ERRNO = 0x0005_0000
export const EPERM = 1
export const ENOSYS = 38
export const EAFNOSUPPORT = 97
/** Offsets in struct seccomp_data; both architectures are little-endian, so an argument's low word comes first. */
const NUMBER_OFFSET = 0
const ARCH_OFFSET = 4
const ARGUMENT_OFFSET = 16
/** Numbers of the x32 interface, a second door to the same calls. */
const X32_BIT = 0x4000_0000
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
export const NAMESPACE_FLAGS = 0x7e02_0000
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. */
export const FAMILIES = [1, 2, 10, 16]

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number]

const load = (offset: number): Instruction => [LOAD, 0, 0, offset]
const answer = (value: number): Instruction => [RETURN, 0, 0, value]
/** One comparison and what follows when it holds; jumps reach 255 instructions, so a call's answer stands right behind it. */
const when = (code: number, value: number, then: readonly Instruction[]): Instruction[] => [[code, 0, then.length, value], ...then]

/**
 * The seccomp filter of a pod, as the array of `struct sock_filter` that the kernel takes. A list of what is denied and not of what is allowed:
 * pods are other people's programs in any language, and namespaces, capabilities and limits stand before this wall.
 */
export function seccompFilter(architecture: SandboxArchitecture): Buffer {
  const column = architecture === 'x64' ? 0 : 1
  const denied = Object.values(DENIED).flatMap(numbers => numbers[column] ?? [])
  const program: Instruction[] = [
    load(ARCH_OFFSET),
    [JUMP_EQUAL, 1, 0, AUDIT_ARCH[architecture]],
    answer(KILL_PROCESS),
    load(NUMBER_OFFSET),
    ...(architecture === 'x64' ? when(JUMP_AT_LEAST, X32_BIT, [answer(ERRNO | ENOSYS)]) : []),
    ...denied.flatMap(number => when(JUMP_EQUAL, number, [answer(ERRNO | EPERM)])),
    ...when(JUMP_EQUAL, CLONE3[column]!, [answer(ERRNO | ENOSYS)]),
    ...when(JUMP_EQUAL, CLONE[column]!, [
      load(ARGUMENT_OFFSET),
      ...when(JUMP_ANY_BIT, NAMESPACE_FLAGS, [answer(ERRNO | EPERM)]),
      answer(ALLOW),
    ]),
    ...when(JUMP_EQUAL, SOCKET[column]!, [
      load(ARGUMENT_OFFSET),
      ...FAMILIES.flatMap(family => when(JUMP_EQUAL, family, [answer(ALLOW)])),
      answer(ERRNO | EAFNOSUPPORT),
    ]),
    answer(ALLOW),
  ]
  return encode(program)
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(8 * program.length)
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, 8 * index)
    bytes.writeUInt8(ifTrue, 8 * index + 2)
    bytes.writeUInt8(ifFalse, 8 * index + 3)
    bytes.writeUInt32LE(value >>> 0, 8 * index + 4)
  }
  return bytes
}
