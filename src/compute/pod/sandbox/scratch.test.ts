import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { newScratch, sweepScratch } from './scratch.ts'

describe.skipIf(process.platform !== 'linux')('scratch folders', () => {
  test('default: what a process left that was killed is removed by the next, what belongs to one that lives stays', () => {
    const own = newScratch('program')
    writeFileSync(join(own, 'program.mjs'), '')
    const script = `import { newScratch } from ${JSON.stringify(join(import.meta.dirname, 'scratch.ts'))}
      console.log(newScratch('program'))
      console.log(newScratch('seccomp'))
      process.kill(process.pid, 'SIGKILL')`
    const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(signal).toBe('SIGKILL')
    const left = stdout.trim().split('\n')
    expect(left.map(path => existsSync(path))).toEqual([true, true])
    // As if it were of a container that shares this folder: its processes can not be seen from here.
    const elsewhere = left[0]!.replace(/program-\w+-/, 'program-1-')
    writeFileSync(elsewhere, '')
    sweepScratch()
    expect(left.map(path => existsSync(path))).toEqual([false, false])
    expect([existsSync(join(own, 'program.mjs')), existsSync(elsewhere)]).toEqual([true, true])
    for (const path of [own, elsewhere]) rmSync(path, { recursive: true })
  })
})
