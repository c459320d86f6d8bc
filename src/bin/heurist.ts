import { Command, CommanderError } from 'commander'
import { accountCommands } from './cli/account.ts'
import { auditCommands } from './cli/audit.ts'
import { backupCommands } from './cli/backup.ts'
import { buybackCommands } from './cli/buyback.ts'
import { claimCommands } from './cli/claim.ts'
import { collateralCommands } from './cli/collateral.ts'
import { type Attach, configCommands, contextOf, jobCommands, keyCommands, nodeCommands, statusCommand } from './cli/commands.ts'
import { devCommands } from './cli/dev.ts'
import { doctorCommands } from './cli/doctor.ts'
import { earningsCommands } from './cli/earnings.ts'
import { economyCommands } from './cli/economy.ts'
import { frontendCommands } from './cli/frontend.ts'
import { governanceCommands } from './cli/governance.ts'
import { createOutput, EXIT, errorJson, reportError } from './cli/output.ts'
import { podCommands } from './cli/pod.ts'
import { referralCommands } from './cli/referral.ts'
import { restakeCommands } from './cli/restake.ts'
import { secretCommands } from './cli/secret.ts'
import { stakeCommands } from './cli/stake.ts'
import { topCommand } from './cli/top.ts'
import { voteCommands } from './cli/vote.ts'
import { type Config, loadConfig } from './config.ts'
import { goThroughProxies } from './proxies.ts'
import { VERSION } from './version.ts'

const EXAMPLES = `
Examples:
  heurist up                                  run the whole network on this machine
  heurist status --json                       is it running, and where
  heurist pod deploy --model ./my-model.gguf  serve your own model
  heurist job get job_4f…                     why this node, what it cost, which transaction
  heurist audit route job_4f…                 replay the routing decision from its signed record

Exit codes: 0 done, 1 failed, 2 wrong usage or setting, 3 the network can not be reached, 4 not found, 5 a check did not match`

/** Long-running roles. Loaded on use, so that small commands start fast. */
function roleCommands(program: Command, node: Command, attach: Attach): void {
  attach(program.command('up').description('Run the whole network on this machine until Ctrl-C'), async ({ config }) => {
    const { runUp } = await import('./roles/up.ts')
    return runUp(config)
  })
  attach(
    program
      .command('infrastructure')
      .description('Run PostgreSQL and the dev chain alone, with contracts and pods: what the roles below stand on'),
    async ({ config }) => {
      const { runInfrastructure } = await import('./roles/infrastructure.ts')
      return runInfrastructure(config)
    },
  )
  const alone = (name: string, description: string, run: (config: Config, options: { name?: string }) => Promise<number>): void => {
    const command = program.command(name).description(description).option('--name <name>', 'name of this process; no two at once')
    attach(command, ({ config }, _args, options) => run(config, options))
  }
  alone('gateway', 'Run one gateway: HTTP for users, on the network of DATABASE_URL and CHAIN_RPC_URL', async (config, options) =>
    (await import('./roles/gateway.ts')).runGateway(config, options),
  )
  alone('router', 'Run one router: nodes and gateways dial it', async (config, options) =>
    (await import('./roles/router.ts')).runRouter(config, options),
  )
  alone('sequencer', 'Run one sequencer: it settles while it leads, and stands by otherwise', async (config, options) =>
    (await import('./roles/sequencer.ts')).runSequencer(config, options),
  )
  const start = node
    .command('start')
    .description('Run a compute node: it dials the router, no port is opened')
    .option('--name <name>', 'name of this node; its key and journal are kept under it', 'node')
    .option('--router <url>', 'router to dial (ws:// or wss://); default: the network that runs here')
    .option('--share <percent>', 'part of each device that this node may use', Number, 100)
    .option('--gpu <offer...>', 'how GPUs are offered: "whole", "slices:4", "group" or "off"; for some only: "0=slices:4", "1,2=group"')
    .option('--min-price <credits...>', 'least that a pod must pay per 1M units, of all devices or of one kind: "5", "gpu=20"')
    .option('--slots <count>', 'jobs at a time per pod', Number, 4)
    .option('--allow-network <pod...>', 'pods whose program may use the network of this machine; none unless named')
    .option('--allow <deployer...>', 'deployers whose pods this node loads beside the built-in ones; "any" for all')
    .option('--benchmark', 'measure the devices again')
  attach(start, async ({ config }, _args, options) => {
    const { runNode } = await import('./roles/node.ts')
    return runNode(config, options)
  })
}

/** The whole command tree. */
export function createProgram(attach: Attach): Command {
  const program = new Command('heurist')
    .description('An open serverless GPU cloud that nobody owns')
    .version(VERSION)
    .addHelpText('after', EXAMPLES)
  program.option('--json', 'print JSON to stdout').showHelpAfterError('(add --help for the usage)').showSuggestionAfterError()
  const group = (name: string, description: string): Command => program.command(name).description(description)
  const node = group('node', 'Compute nodes')
  roleCommands(program, node, attach)
  statusCommand(program, attach)
  topCommand(program, attach)
  nodeCommands(node, attach)
  earningsCommands(node, attach)
  restakeCommands(node, attach)
  collateralCommands(group('collateral', 'Collateral of nodes: what they can lose, and the cases against them'), attach)
  podCommands(group('pod', 'Pods: what runs on the nodes'), attach)
  secretCommands(group('secret', "Secrets of pods' programs, kept by the nodes of this machine"), attach)
  jobCommands(group('job', 'Jobs: paid units of work'), attach)
  keyCommands(group('key', 'API keys'), attach)
  accountCommands(group('credit', 'Compute credits'), attach)
  auditCommands(group('audit', 'Check what the network says'), group('receipt', 'Receipts'), attach)
  const frontend = group('frontend', 'Frontends: who brings users, for which share, and to which nodes')
  frontendCommands(frontend, attach)
  referralCommands(frontend, attach)
  stakeCommands(program, attach)
  claimCommands(program, attach)
  voteCommands(program, group('tip', 'What a node gives to its voters'), attach)
  economyCommands(
    {
      epoch: group('epoch', 'Epochs: weeks of emission and votes'),
      reservoir: group('reservoir', 'Compute reservoir'),
      vesting: group('vesting', 'Genesis allocations'),
    },
    attach,
  )
  governanceCommands(group('gov', 'Governance: proposals over every parameter'), attach)
  buybackCommands(group('buyback', "The protocol's share of payments and the chain's gas, on their way to stakers"), attach)
  backupCommands(group('backup', 'Copies of the database, and back'), attach)
  devCommands(group('dev', 'What only a development chain can do'), attach)
  configCommands(group('config', 'Settings'), attach)
  doctorCommands(program, node, attach)
  exitInsteadOfKilling(program)
  return program
}

// Commander's own process.exit would cut piped output short.
function exitInsteadOfKilling(command: Command): void {
  command.exitOverride()
  for (const child of command.commands) exitInsteadOfKilling(child)
}

const attach: Attach = (command, run) =>
  command.option('--json', 'print JSON to stdout').action(async (...all: unknown[]) => {
    const self = all.at(-1) as Command // cast: commander passes the command last
    const options = self.optsWithGlobals()
    try {
      const config: Config = loadConfig()
      goThroughProxies(config)
      process.exitCode = (await run(contextOf(createOutput(options.json === true), config), self.args, options)) ?? EXIT.ok
    } catch (error) {
      process.exitCode = reportError(error, options.json === true)
    }
  })

async function main(): Promise<void> {
  // Timers of the injected clock keep no process alive, and a command may wait for nothing else.
  const keepAlive = setInterval(() => undefined, 2 ** 30)
  const program = createProgram(attach)
  try {
    if (process.argv.length <= 2) program.help()
    await program.parseAsync(process.argv)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    const isHelp = error.exitCode === 0 || error.code === 'commander.help'
    process.exitCode = isHelp ? EXIT.ok : EXIT.usage
    // Commander has written its own words to stderr.
    if (!isHelp && process.argv.includes('--json')) {
      process.stdout.write(`${errorJson('CLI_USAGE', error.message.replace(/^error: /, ''))}\n`)
    }
  }
  clearInterval(keepAlive)
  // The launcher's IPC channel would keep a finished command alive.
  if (process.connected) process.disconnect()
}

if (import.meta.main) await main()
