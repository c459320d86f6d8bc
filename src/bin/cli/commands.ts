import { type Command, InvalidArgumentError } from 'commander'
import { type Device, formatUnits, HeuristError, type JobView, type NodeView } from '#protocol'
import type { Config } from '../config.ts'
import { explainConfig, printableValue } from '../config.ts'
import { type ApiClient, type CliErrorCode, createApiClient, readDevFile } from './client.ts'
import { EXIT, type Output, short, table, time } from './output.ts'
import { type AssetAnswer, type JobAnswer, type JsonOf, jobTable, jobText, nodeTable } from './show.ts'

/** What every command gets. `client` is made on use, so that commands without a network work without one. */
export type Context = { readonly output: Output; readonly config: Config; client(as?: 'user' | 'admin'): ApiClient }

/** Ties a command's action to its context and exit code. */
export type Attach = (
  command: Command,
  run: (context: Context, args: readonly string[], options: Readonly<Record<string, unknown>>) => Promise<number | undefined>,
) => Command

type Listed<T> = { readonly data: readonly T[] }
type Status = {
  version: string
  chainId: number
  nodes: { online: number; known: number }
  pods: number
  lastBatch: { number: number; state: string; jobCount: number } | null
  assets: readonly AssetAnswer[]
}

export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value <= 0) throw new InvalidArgumentError('must be a positive whole number.')
  return value
}

export function positiveNumber(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('must be a positive number.')
  return value
}

function assetsOf(client: ApiClient): Promise<readonly AssetAnswer[]> {
  return client.get<Status>('/api/status').then(({ assets }) => assets)
}

export function statusCommand(program: Command, attach: Attach): void {
  attach(program.command('status').description('Show whether the network runs and what it does'), async ({ output, config, client }) => {
    const api = client()
    const status = await api.get<Status>('/api/status')
    const pids = readDevFile(config)?.pids ?? {}
    output.answer({ ...status, gateway: `${api.baseUrl}/v1`, pids }, () =>
      [
        `gateway   ${api.baseUrl}/v1`,
        `nodes     ${status.nodes.online} online of ${status.nodes.known}`,
        `pods      ${status.pods}`,
        `chain     id ${status.chainId}, last batch ${status.lastBatch ? `${status.lastBatch.number} (${status.lastBatch.state})` : 'none yet'}`,
        `processes ${Object.entries(pids)
          .map(([role, pid]) => `${role} ${pid}`)
          .join(', ')}`,
      ].join('\n'),
    )
    return EXIT.ok
  })
}

export function nodeCommands(node: Command, attach: Attach): void {
  attach(node.command('list').description('List compute nodes'), async ({ output, client }) => {
    const { data } = await client().get<Listed<JsonOf<NodeView>>>('/api/nodes')
    output.answer(data, () => nodeTable(data))
    return EXIT.ok
  })
  attach(
    node.command('get <node>').description('Show one compute node, by its address or name'),
    async ({ output, client }, [node = '']) => {
      const found = await nodeOf(client(), node)
      output.answer(found, () =>
        [
          nodeTable([found]),
          '',
          ...(found.facts?.devices ?? []).map(deviceLine),
          ...(found.facts?.replicas ?? []).map(
            replica =>
              `pod ${short(replica.podId)}  ${replica.state}  ${replica.slots} slots  ${replica.unitsPerSecond.toFixed(0)} units/s  ${replica.reason ?? ''}`,
          ),
        ].join('\n'),
      )
      return EXIT.ok
    },
  )
}

/** Names are what nodes call themselves: two may have the same. */
async function nodeOf(client: ApiClient, node: string): Promise<JsonOf<NodeView>> {
  if (node.startsWith('0x')) return client.get<JsonOf<NodeView>>(`/api/nodes/${encodeURIComponent(node)}`)
  const { data } = await client.get<Listed<JsonOf<NodeView>>>('/api/nodes')
  const [found, ...others] = data.filter(({ name }) => name === node)
  if (!found) throw notFound(`No node is named "${node}". Nodes: ${data.map(({ name }) => name).join(', ') || 'none'}.`)
  if (others.length === 0) return found
  throw usageError(
    `${others.length + 1} nodes are named "${node}". Give an address: ${[found, ...others].map(({ nodeId }) => nodeId).join(', ')}.`,
  )
}

function deviceLine({ id, kind, name, memoryBytes, shareBps, slots, benchmark, minNanoCredits }: Device): string {
  const share = shareBps < 10_000 ? `  ${shareBps / 100} %` : ''
  const price = minNanoCredits === undefined ? '' : `  from ${formatUnits(BigInt(minNanoCredits), 9)} credits/1M`
  const score = benchmark ? `${(benchmark.score / 1e9).toFixed(2)} Gop/s` : 'not measured'
  return `device ${id}  ${kind}  ${name}  ${(memoryBytes / 2 ** 30).toFixed(1)} GiB${share}  ${slots} slots  ${score}${price}`
}

export function jobCommands(job: Command, attach: Attach): void {
  attach(
    job
      .command('list')
      .description('List jobs, newest first')
      .option('-n, --limit <count>', 'how many', positiveInteger, 20)
      .option('--state <state>', 'only jobs in this state'),
    async ({ output, client }, _args, options) => {
      const api = client()
      const { data } = await api.get<Listed<JsonOf<JobView>>>(
        `/api/jobs?limit=${options.limit}${options.state ? `&state=${encodeURIComponent(String(options.state))}` : ''}`,
      )
      const assets = await assetsOf(api)
      output.answer(data, () => jobTable(data, assets))
      return EXIT.ok
    },
  )
  attach(
    job.command('get <id>').description('Show a job: timeline, decision, receipt, split, transaction'),
    async ({ output, client }, [id = '']) => {
      const api = client()
      const [found, assets] = await Promise.all([api.get<JobAnswer>(`/api/jobs/${encodeURIComponent(id)}`), assetsOf(api)])
      output.answer(found, () => jobText(found, assets))
      return EXIT.ok
    },
  )
  attach(job.command('watch <id>').description('Follow a job until it is settled or has failed'), async ({ output, client }, [id = '']) => {
    const api = client()
    const assets = await assetsOf(api)
    let seen = 0
    for (;;) {
      const found = await api.get<JobAnswer>(`/api/jobs/${encodeURIComponent(id)}`)
      for (const event of found.timeline.slice(seen)) output.note(`${time(event.atMs)}  ${event.step}`)
      seen = found.timeline.length
      if (found.batch?.state === 'confirmed' || found.state === 'failed' || found.state === 'cancelled') {
        output.answer(found, () => `\n${jobText(found, assets)}`)
        return found.state === 'succeeded' ? EXIT.ok : EXIT.failed
      }
      await new Promise(resolve => setTimeout(resolve, 500))
    }
  })
}

export function keyCommands(key: Command, attach: Attach): void {
  const create = key
    .command('create')
    .description('Create an API key; its secret is shown once')
    .option('--name <name>', 'to recognise it', 'cli')
    .option('--scope <scope...>', 'inference, read, admin', ['inference', 'read'])
    .option('--budget <credits>', 'most credits that it may spend', positiveNumber)
    .option('--weight <weight>', 'what its jobs get beside a key of weight 1 while both wait for a pod: 1 to 100', positiveInteger)
    .option('--expires-in-days <days>', 'when it stops working', positiveNumber)
    .option('--frontend <payout>', 'account of the frontend that gets its share of what the key spends')
  attach(create, async ({ output, client }, _args, options) => {
    const body = {
      name: options.name,
      scopes: options.scope,
      budgetCredits: options.budget ?? null,
      expiresInDays: options.expiresInDays ?? null,
      ...(options.weight !== undefined && { weight: options.weight }),
      ...(options.frontend !== undefined && { frontend: String(options.frontend).toLowerCase() }),
    }
    const made = await client('admin').post<{ secret: string; keyId: string }>('/api/keys', body)
    output.answer(made, () => `${made.secret}\n\nkey ${made.keyId}. The secret is shown this one time: store it now.`)
    return EXIT.ok
  })
  attach(key.command('list').description('List API keys'), async ({ output, client }) => {
    type KeyRow = {
      keyId: string
      prefix: string
      name: string
      scopes: string[]
      weight: number
      spentCredits: string
      budgetCredits: string | null
      expiresAtMs: number | null
      revokedAtMs: number | null
    }
    const { data } = await client().get<Listed<KeyRow>>('/api/keys')
    output.answer(data, () =>
      table(
        ['key', 'begins', 'name', 'scopes', 'weight', 'spent', 'budget', 'expires', 'revoked'],
        data.map(row => [
          row.keyId,
          row.prefix,
          row.name,
          row.scopes.join(','),
          row.weight,
          row.spentCredits,
          row.budgetCredits ?? 'no limit',
          time(row.expiresAtMs),
          time(row.revokedAtMs),
        ]),
      ),
    )
    return EXIT.ok
  })
  attach(key.command('revoke <id>').description('Revoke an API key at once'), async ({ output, client }, [id = '']) => {
    const answer = await client('admin').remove<{ keyId: string }>(`/api/keys/${encodeURIComponent(id)}`)
    output.answer(answer, () => `revoked ${answer.keyId}`)
    return EXIT.ok
  })
}

export function configCommands(config: Command, attach: Attach): void {
  attach(config.command('explain').description('Print every setting, its unit, value and where it came from'), async ({ output }) => {
    const explained = explainConfig()
    output.answer(
      explained.map(entry => ({ ...entry, value: printableValue(entry) })),
      () =>
        table(
          ['setting', 'unit', 'value', 'from', 'environment', 'meaning'],
          explained.map(entry => [entry.name, entry.unit, printableValue(entry), entry.source, entry.environment, entry.help]),
        ),
    )
    return EXIT.ok
  })
}

export function notFound(message: string): HeuristError<CliErrorCode> {
  return new HeuristError('CLI_NOT_FOUND', message)
}

export function usageError(message: string): HeuristError<CliErrorCode> {
  return new HeuristError('CLI_USAGE', message)
}

export function contextOf(output: Output, config: Config): Context {
  return { output, config, client: as => createApiClient(config, as) }
}
