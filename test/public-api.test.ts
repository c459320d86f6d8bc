import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { createProgram } from '../src/bin/heurist.ts'
import { filesUnder, ROOT } from './support/source.ts'

/** What others build on: a change here is a change of the product's face, and shows up in review as a changed snapshot. */
describe('public api', () => {
  for (const layer of ['protocol', 'economics', 'platform', 'compute', 'orchestration', 'application']) {
    test(`behavior: exports of ${layer}`, async () => {
      const face = (await import(join(ROOT, 'src', layer, 'index.ts'))) as Record<string, unknown> // cast: a module namespace
      expect(Object.keys(face).sort()).toMatchSnapshot()
    })
  }

  test('behavior: the commands of the CLI and their help', () => {
    const program = createProgram(command => command)
    const helps: Record<string, string> = {}
    const walk = (command: Command, path: string): void => {
      helps[path] = command.helpInformation()
      for (const child of command.commands) walk(child, `${path} ${child.name()}`)
    }
    walk(program, 'heurist')
    expect(helps).toMatchSnapshot()
  })

  test('behavior: functions and events of the contracts', () => {
    const signatures = filesUnder('contracts/artifacts', /\.json$/).map(path => {
      const { abi } = JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as {
        abi?: { type: string; name?: string; inputs?: { type: string }[] }[]
      } // cast: forge's artifact
      return [
        path,
        (abi ?? []).map(item => `${item.type} ${item.name ?? ''}(${(item.inputs ?? []).map(({ type }) => type).join(',')})`).sort(),
      ]
    })
    expect(Object.fromEntries(signatures)).toMatchSnapshot()
  })
})
