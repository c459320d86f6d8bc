import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { createProgram } from './heurist.ts'

/** All that `--help` prints, examples included. */
function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: part => (text += part) })
  command.outputHelp()
  return text
}

describe('createProgram', () => {
  const find = (path: string): Command =>
    path.split(' ').reduce<Command>((command, name) => command.commands.find(child => child.name() === name) ?? expect.fail(path), program)
  const program = createProgram(command => command)

  test.each([
    'stake',
    'unstake',
    'claim',
    'vote',
    'tip set',
    'epoch show',
    'reservoir show',
    'vesting list',
    'vesting release',
    'collateral show',
    'collateral add',
    'collateral unbond',
    'collateral withdraw',
    'collateral answer',
    'node restake',
    'node compound',
  ])('behavior: heurist %s --help ends with an example', path =>
    expect(helpOf(find(path))).toMatch(new RegExp(`Examples?:\n {2}heurist ${path}`)),
  )

  test.each([
    'stake',
    'unstake',
    'claim',
    'vote',
    'tip set',
    'vesting release',
    'gov propose',
    'gov vote',
    'gov queue',
    'gov execute',
    'gov enrol',
    'collateral add',
    'collateral unbond',
    'collateral withdraw',
    'collateral answer',
    'node restake',
    'node compound',
  ])('behavior: heurist %s sends a transaction and can be tried without', path =>
    expect(helpOf(find(path))).toMatch(/--dry-run[\s\S]*--as <account>/),
  )
})
