import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from './support/source.ts'

const snapshots = join(ROOT, 'contracts', 'snapshots')
const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

/** Stand-ins of development chains, and the accounts of governance itself. */
const NOBODYS = ['DevUsd', 'SimulatedRestaking', 'HeuristTimelock']
/** Calls that are one role's, another contract's, or OpenZeppelin's to hold: no user pays for them. */
const ONE_CALLER = [
  /^.*\.(set(?!Active|GrantReceiver|Operator|Payout|Plan|SpendingCap|SpendingCapBySig|TipBps)\w+|pause|unpause|\w+Ownership)$/,
  /^.*\.(onBalanceChanged|onERC\w+|uniswapV3SwapCallback)$/,
  /^(CreditVault\.(debit|pay)|EmissionController\.resolve|JobSettlement\.(settle|claimVoters)|NodeRegistry\.slash|RefundPot\.fund)$/,
  /^(RestakeAdapter\.(deregisterOperator|linkNew|open|registerOperator|slash)|ValidatorRegistry\.(engage|disengage))$/,
  /^(Reservoir\.(rent|grant|cancelGrant|topUpStaking)|VestingWallets?\.revoke)$/,
  /^HeuristGovernor\.(relay|update\w+|castVoteWithReasonAndParams(BySig)?)$/,
]

describe('gas of calls', () => {
  const figures = readdirSync(join(snapshots, 'gas'))
    .flatMap(file => Object.keys(read(join(snapshots, 'gas', file)) as object)) // cast: name -> gas
    .map(name => name.split(':')[0])
  const contracts = readdirSync(snapshots).filter(file => file.endsWith('.json') && !NOBODYS.includes(file.replace('.json', '')))

  test.each(contracts)('behavior: each call of %s that users pay for has a figure', file => {
    const contract = file.replace('.json', '')
    const { abi } = read(join(snapshots, file)) as { abi: string[] } // cast: our own generator's
    const changing = abi.filter(entry => /^function /.test(entry) && !/\) (view|pure)\b/.test(entry))
    const names = [...new Set(changing.map(entry => `${contract}.${/^function (\w+)/.exec(entry)?.[1]}`))]
    const missing = names.filter(name => !ONE_CALLER.some(pattern => pattern.test(name)) && !figures.includes(name))
    expect(missing).toEqual([])
  })
})
