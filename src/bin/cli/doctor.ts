import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import pc from 'picocolors'
import { request } from 'undici'
import { z } from 'zod'
import { messageOf, type NodeWhy, type PodWhy } from '#protocol'
import { isAlive, openHome } from '../home.ts'
import { readDevFile, readJson } from './client.ts'
import { type Attach, type Context, usageError } from './commands.ts'
import { localNodes } from './node-ref.ts'
import { EXIT, short } from './output.ts'

const checkSchema = z.object({ name: z.string(), ok: z.boolean(), detail: z.string(), fix: z.string().nullable() })
type Check = z.output<typeof checkSchema>
const statusFileSchema = z.object({ atMs: z.number(), pid: z.number().int(), nodeId: z.string(), checks: z.array(checkSchema) })

const STALE_MS = 15_000

/** `heurist doctor` looks at the network that runs here, `heurist node doctor` at one node: why it gets no work, and the fix. */
export function doctorCommands(program: Command, node: Command, attach: Attach): void {
  attach(program.command('doctor').description('Check the network that runs here'), async context => {
    const checks = [...(await networkChecks(context)), ...localNodes(context.config.home).flatMap(name => nodeChecks(context, name))]
    return report(context, checks)
  })
  attach(
    node.command('doctor [name]').description('Say why a node of this machine gets no work, with the fix'),
    async (context, [name]) => {
      const names = name === undefined ? localNodes(context.config.home) : [name]
      if (names.length === 0) throw usageError('No node was ever started from this folder. Start one with: heurist node start')
      const checks = await Promise.all(names.map(async each => [...nodeChecks(context, each), ...(await routerChecks(context, each))]))
      return report(context, checks.flat())
    },
  )
}

function report({ output }: Context, checks: readonly Check[]): number {
  const ok = checks.every(check => check.ok)
  output.answer({ ok, checks }, () =>
    checks
      .map(
        ({ name, ok: fine, detail, fix }) =>
          `${fine ? pc.green('ok  ') : pc.red('FAIL')} ${name.padEnd(22)} ${detail}${fix ? `\n     ${pc.cyan('fix')} ${fix}` : ''}`,
      )
      .join('\n'),
  )
  return ok ? EXIT.ok : EXIT.failed
}

const NETWORKS_OWN_NODE = /^node-\d+$/

function startFix(config: Context['config'], name: string): string {
  if (!NETWORKS_OWN_NODE.test(name) || !readDevFile(config)) return `Start it: heurist node start --name ${name}`
  return `It runs and ends with its network: npm start. While that runs, it is started again by itself; see ${config.home}/logs/${name}.log`
}

/** The node writes its own status; an old file means that it does not run. */
function nodeChecks({ config }: Context, name: string): Check[] {
  const path = join(openHome(config.home).nodes, name, 'status.json')
  const prefixed = (check: Check): Check => ({ ...check, name: `${name}: ${check.name}` })
  const notRunning = (detail: string): Check[] => [prefixed({ name: 'process', ok: false, detail, fix: startFix(config, name) })]
  if (!existsSync(path)) return notRunning('it has never reported')
  const status = statusFileSchema.safeParse(readJson(path))
  if (!status.success) return notRunning(`${path} is damaged; it is written anew while the node runs`)
  const ageMs = Date.now() - status.data.atMs
  if (ageMs > STALE_MS) return notRunning(`last heard of ${Math.round(ageMs / 1000)} s ago`)
  return status.data.checks.map(prefixed)
}

/** How the router sees the node; nothing when no network answers or the node never reported. */
async function routerChecks({ config, client }: Context, name: string): Promise<Check[]> {
  const path = join(openHome(config.home).nodes, name, 'status.json')
  const status = statusFileSchema.safeParse(readJson(path)).data
  if (!status || (!config.gatewayUrl && !readDevFile(config))) return []
  try {
    const why = await client().get<NodeWhy>(`/v1/nodes/${status.nodeId}/why`)
    return why.linked
      ? why.pods.map(pod => podCheck(name, pod))
      : [{ name: `${name}: router`, ok: false, detail: why.refusals.join('; '), fix: why.fixes.join(' ') }]
  } catch (error) {
    const fix = config.gatewayUrl
      ? `See whether ${config.gatewayUrl} is reached from here`
      : 'See what is wrong with the network: heurist doctor'
    return [{ name: `${name}: router`, ok: false, detail: messageOf(error), fix }]
  }
}

/** A full node is a busy one, and a lower rank is no fault: both are said and fail nothing. */
function podCheck(name: string, { podId, eligible, refusals, ahead, equals, behindBy, fixes, freeSlots }: PodWhy): Check {
  const isFull = refusals.length > 0 && refusals.every(reason => reason === 'no free slot')
  const place = behindBy === null ? 'nobody goes before it' : `${ahead} nodes go before it, by ${behindBy}`
  const detail = eligible ? `${freeSlots} free slots, ${place}, ${equals} tie with it` : refusals.join('; ')
  const ok = eligible || isFull
  return { name: `${name}: pod ${short(podId)}`, ok, detail, fix: fixes.length > 0 && !isFull ? fixes.join(' ') : null }
}

async function networkChecks({ config }: Context): Promise<Check[]> {
  const file = readDevFile(config)
  if (!file) return [{ name: 'network', ok: false, detail: `nothing runs from ${config.home}`, fix: 'Start it: npm start' }]
  const { main } = file.pids
  if (main !== undefined && !isAlive(main)) {
    const detail = `its main process (${main}) is gone without having stopped: killed, or out of memory`
    return [{ name: 'network', ok: false, detail, fix: `Start it again: npm start. What it said last is in ${config.home}/logs/up.log` }]
  }
  const base = file.gatewayUrl.replace('/v1', '')
  const [gateway, console, metrics] = await Promise.all([
    probe('gateway', `${base}/readyz`, `See ${config.home}/logs/up.log; if it does not come back by itself, stop it and run npm start`),
    probe('console', `${base}/`, 'Build it: delete console/dist and run npm start'),
    probe('metrics', file.metricsUrl, 'Another program may hold the port: set HEURIST_METRICS_PORT'),
  ])
  // What no process answers has one cause, and it is the gateway's.
  return gateway.ok ? [gateway, console, metrics] : [gateway]
}

async function probe(name: string, url: string, fix: string): Promise<Check> {
  try {
    const { statusCode, body } = await request(url, { headersTimeout: 5000 })
    await body.dump()
    const ok = statusCode === 200
    return { name, ok, detail: `${url} answers ${statusCode}`, fix: ok ? null : fix }
  } catch (error) {
    return { name, ok: false, detail: `${url}: ${messageOf(error)}`, fix }
  }
}
