import { describe, expect, test } from 'vitest'
import { SANDBOX_ARCHITECTURES, type SandboxArchitecture, seccompFilter } from './seccomp.ts'
import { CLONE, CLONE3, DENIED, SOCKET } from './syscalls.ts'

const ALLOW = 0x7fff_0000
const KILL = 0x8000_0000
const EPERM = 0x0005_0001
const ENOSYS = 0x0005_0026
const EAFNOSUPPORT = 0x0005_0061
const AUDIT: Readonly<Record<SandboxArchitecture, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 }
/** read(2) and write(2) of each architecture: calls that everyone makes. */
const HARMLESS: Readonly<Record<SandboxArchitecture, readonly number[]>> = { x64: [0, 1, 231], arm64: [63, 64, 94] }

type Call = { readonly number: number; readonly architecture: number; readonly argument?: number }

/** The kernel's machine for such filters, as far as ours goes; written from its documentation and not from the generator. */
function judge(filter: Buffer, { number, architecture, argument = 0 }: Call): number {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(number, 0)
  data.writeUInt32LE(architecture, 4)
  data.writeUInt32LE(argument, 16)
  let accumulator = 0
  for (let at = 0; at < filter.length / 8; at++) {
    const code = filter.readUInt16LE(8 * at)
    const value = filter.readUInt32LE(8 * at + 4)
    const jump = (holds: boolean): number => filter.readUInt8(8 * at + (holds ? 2 : 3))
    if (code === 0x06) return value
    if (code === 0x20) accumulator = data.readUInt32LE(value)
    else if (code === 0x15) at += jump(accumulator === value)
    else if (code === 0x35) at += jump(accumulator >= value)
    else if (code === 0x45) at += jump((accumulator & value) !== 0)
    else throw new Error(`instruction ${code}`)
  }
  throw new Error('the filter has no answer')
}

for (const [column, name] of SANDBOX_ARCHITECTURES.entries()) {
  describe(`seccompFilter ${name}`, () => {
    const filter = seccompFilter(name)
    const architecture = AUDIT[name]
    const of = (number: number, argument?: number) => judge(filter, { number, architecture, ...(argument !== undefined && { argument }) })

    test('default: what everyone calls is allowed', () => {
      for (const number of HARMLESS[name]) expect(of(number), `call ${number}`).toBe(ALLOW)
    })

    test('behavior: each denied call is answered with EPERM', () => {
      const numbers = Object.entries(DENIED).filter(([, pair]) => pair[column] !== null)
      expect(numbers.length).toBeGreaterThan(55)
      for (const [call, pair] of numbers) expect(of(pair[column]!), call).toBe(EPERM)
    })

    test('behavior: processes and threads may be made, namespaces not', () => {
      const SIGCHLD = 17
      expect(of(CLONE[column]!, SIGCHLD)).toBe(ALLOW)
      expect(of(CLONE[column]!, 0x3d_0f00)).toBe(ALLOW)
      for (const flag of [0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]) {
        expect(of(CLONE[column]!, flag | SIGCHLD), `flag ${flag}`).toBe(EPERM)
      }
      expect(of(CLONE3[column]!)).toBe(ENOSYS)
    })

    test('behavior: sockets of four families', () => {
      for (const family of [1, 2, 10, 16]) expect(of(SOCKET[column]!, family), `family ${family}`).toBe(ALLOW)
      const AF_VSOCK = 40
      const AF_ALG = 38
      for (const family of [0, 3, 17, AF_ALG, AF_VSOCK]) expect(of(SOCKET[column]!, family), `family ${family}`).toBe(EAFNOSUPPORT)
    })

    test('error: calls of another architecture kill the process', () => {
      for (const other of [0x4000_0003, AUDIT[name === 'x64' ? 'arm64' : 'x64'], 0])
        expect(judge(filter, { number: 0, architecture: other }), `architecture ${other}`).toBe(KILL)
    })
  })
}

test('error: the x32 door to the same calls is shut', () => {
  const ptrace = 0x4000_0000 + 521
  expect(judge(seccompFilter('x64'), { number: ptrace, architecture: AUDIT.x64 })).toBe(ENOSYS)
})
