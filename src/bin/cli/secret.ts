import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Command } from 'commander'
import { openSecrets, type Secrets } from '#compute'
import { type Bytes32, bytes32Schema, HeuristError } from '#protocol'
import { secretsFolder } from '../home.ts'
import type { CliErrorCode } from './client.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { localNodes } from './node-ref.ts'
import { EXIT, short, table, time } from './output.ts'

type Options = { readonly node?: readonly string[] }
type SetOptions = Options & { readonly fromFile?: string; readonly value?: string }

/** `heurist secret …`: what pods' programs need and no manifest may hold, kept by the nodes of this machine. */
export function secretCommands(secret: Command, attach: Attach): void {
  const withNode = (command: Command): Command =>
    command.option('--node <name...>', 'nodes of this machine that keep it; default: all that were ever started from this folder')
  const set = secret
    .command('set <pod> <name>')
    .description('Set a secret of a pod on the nodes of this machine; its value is read from stdin')
    .option('--from-file <path>', 'read the value from a file instead')
    .option('--value <text>', 'take the value from here; others may see the arguments of a process and your shell keeps them')
  attach(withNode(set), (context, args, options: SetOptions) => setSecret(context, args, options))
  attach(
    withNode(secret.command('list [pod]').description('List secrets by name; values are never shown')),
    async (context, [pod], options: Options) => {
      const podId = pod === undefined ? null : await podIdOf(context, pod)
      const found = storesOf(context, options).flatMap(({ node, secrets }) => secrets.list().map(info => ({ node, ...info })))
      const rows = found.filter(row => podId === null || row.podId === podId)
      context.output.answer(rows, () =>
        table(
          ['node', 'pod', 'secret', 'set'],
          rows.map(row => [row.node, short(row.podId), row.name, time(row.changedAtMs)]),
        ),
      )
      return EXIT.ok
    },
  )
  attach(
    withNode(secret.command('delete <pod> <name>').description('Delete a secret of a pod')),
    async (context, [pod = '', name = ''], options: Options) => {
      const podId = await podIdOf(context, pod)
      const nodes = storesOf(context, options).filter(({ secrets }) => secrets.delete(podId, name))
      if (nodes.length === 0)
        throw new HeuristError<CliErrorCode>('CLI_NOT_FOUND', `No node of this machine has a secret ${name} for the pod ${pod}.`)
      const answer = { podId, name, nodes: nodes.map(({ node }) => node) }
      context.output.answer(answer, () => `deleted ${name} of ${short(podId)} on ${answer.nodes.join(', ')}`)
      return EXIT.ok
    },
  )
}

async function setSecret(context: Context, [pod = '', name = '']: readonly string[], options: SetOptions): Promise<number> {
  const stores = storesOf(context, options)
  const podId = await podIdOf(context, pod)
  const value = await secretValue(name, options)
  for (const { secrets } of stores) secrets.set(podId, name, value)
  const answer = { podId, name, nodes: stores.map(({ node }) => node) }
  context.output.answer(
    answer,
    () => `set ${name} of ${short(podId)} on ${answer.nodes.join(', ')}. A program gets it when its pod is loaded next.`,
  )
  return EXIT.ok
}

function storesOf({ config }: Context, { node }: Options): { node: string; secrets: Secrets }[] {
  const known = localNodes(config.home)
  if (known.length === 0) throw usageError('No node was ever started from this folder. Start one with: heurist node start')
  const unknown = node?.find(name => !known.includes(name))
  if (unknown !== undefined) throw usageError(`No node "${unknown}" was started from this folder. Nodes: ${known.join(', ')}.`)
  return (node ?? known).map(name => ({ node: name, secrets: openSecrets(secretsFolder(config.home, name)) }))
}

/** By id without a network; a name is asked for, because anyone may deploy a pod of the same name. */
async function podIdOf({ client }: Context, pod: string): Promise<Bytes32> {
  const id = bytes32Schema.safeParse(pod)
  if (id.success) return id.data
  const { data } = await client().get<{ data: readonly { podId: Bytes32; name: string }[] }>('/api/pods')
  const found = data.find(({ name }) => name === pod)
  if (found) return found.podId
  throw new HeuristError<CliErrorCode>(
    'CLI_NOT_FOUND',
    `No pod is named "${pod}". Apply it first, or give its id. Pods: ${data.map(({ name }) => name).join(', ') || 'none'}.`,
  )
}

/** Without the one line end that `echo` and editors add. */
async function secretValue(name: string, { fromFile, value }: SetOptions): Promise<Buffer> {
  if (fromFile !== undefined && value !== undefined) throw usageError('Give either --from-file or --value.')
  if (value !== undefined) return Buffer.from(value)
  const text = fromFile === undefined ? await readInput(name) : readFile(fromFile)
  if (text.at(-1) !== 10) return text
  return text.subarray(0, text.at(-2) === 13 ? -2 : -1)
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    throw usageError(`${path} can not be read. Give the path of a file that holds the value.`)
  }
}

/** At a terminal the value is asked for and not echoed. */
async function readInput(name: string): Promise<Buffer> {
  if (!process.stdin.isTTY) return buffer(process.stdin)
  process.stderr.write(`Value of ${name} (not shown): `)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true })
  const said = await terminal.question('').finally(() => terminal.close())
  process.stderr.write('\n')
  return Buffer.from(said)
}
