import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import pc from 'picocolors'
import { isHeuristError, type PodManifest, podManifestSchema } from '#protocol'
import type { ApiClient } from './client.ts'
import { type Attach, type Context, positiveInteger, usageError } from './commands.ts'
import { type Change, changeText, diffManifests } from './manifest-diff.ts'
import { EXIT, short, table, time } from './output.ts'
import { manifestOf, manifestText, type ReadManifest } from './pod-manifest.ts'

type Version = { readonly version: number; readonly manifestHash: string; readonly createdAtMs: number; readonly manifest: unknown }
type ApplyOptions = { readonly file: string; readonly dryRun?: boolean; readonly yes?: boolean }

/** `heurist pod apply | history | rollback`: a pod as a file, and the way back. */
export function podApplyCommands(pod: Command, attach: Attach): void {
  const apply = pod
    .command('apply')
    .description('Create or change a pod as its manifest says; shows what differs first')
    .requiredOption('-f, --file <manifest>', 'pod manifest (YAML or JSON); - for standard input')
    .option('--dry-run', 'only show what would change')
    .option('--yes', 'do not ask before a change')
  attach(apply, (context, _args, options: Partial<ApplyOptions>) => applyManifest(context, options as ApplyOptions)) // cast: --file is required
  attach(pod.command('history <name>').description('List the versions of a pod'), async ({ output, client }, [name = '']) => {
    const versions = await versionsOf(client('admin'), name)
    if (versions.length === 0) throw usageError(`No pod is named "${name}".`)
    const rows = versions.map(({ version, manifestHash, createdAtMs }, index) => [
      index === 0 ? `${version} (now)` : version,
      time(createdAtMs),
      short(manifestHash),
      changedPaths(versions[index + 1], versions[index]!),
    ])
    output.answer(versions, () => table(['version', 'applied', 'manifest', 'changed'], rows))
    return EXIT.ok
  })
  const rollback = pod
    .command('rollback <name>')
    .description('Apply an earlier version of a pod again, as a new version')
    .option('--to <version>', 'version to go back to; default: the one before', positiveInteger)
  attach(rollback, async (context, [name = ''], options: { to?: number }) => {
    const versions = await versionsOf(context.client('admin'), name)
    const target = versions.find(({ version }, index) => (options.to === undefined ? index === 1 : version === options.to))
    if (!target) throw usageError(`Pod "${name}" has no ${options.to === undefined ? 'earlier version' : `version ${options.to}`}.`)
    const made = await send(context, { manifest: podManifestSchema.parse(target.manifest), modelFile: null })
    context.output.answer(
      { name, ...made, from: target.version },
      () => `${name} is as in version ${target.version} again (version ${made.version})`,
    )
    return EXIT.ok
  })
}

/** Newest first; none for a pod that does not exist. */
async function versionsOf(client: ApiClient, name: string): Promise<readonly Version[]> {
  try {
    return (await client.get<{ data: readonly Version[] }>(`/api/pod-versions/${encodeURIComponent(name)}`)).data
  } catch (error) {
    if (isHeuristError(error, 'CLI_NOT_FOUND')) return []
    throw error
  }
}

function changedPaths(before: Version | undefined, after: Version): string {
  if (!before) return 'created'
  const paths = diffManifests(before.manifest, after.manifest).map(({ path }) => path)
  return paths.length > 3 ? `${paths.slice(0, 3).join(', ')} and ${paths.length - 3} more` : paths.join(', ')
}

/** The network adds the tokenizer of a model by itself: leaving it out of a file is no wish to remove it. */
function changesOf(current: unknown, manifest: PodManifest): Change[] {
  const isOurs = manifest.spec.tokenizerSha256 === undefined
  return diffManifests(current, JSON.parse(manifestText(manifest))).filter(({ path }) => !(isOurs && path === 'spec.tokenizerSha256'))
}

async function applyManifest(context: Context, options: ApplyOptions): Promise<number> {
  const { output } = context
  const read = await manifestOf(context, { file: options.file })
  const { name } = read.manifest.metadata
  const [current] = await versionsOf(context.client('admin'), name)
  const changes = changesOf(current?.manifest ?? null, read.manifest)
  const answer = { name, changes, created: current === undefined, applied: false }
  if (current && changes.length === 0) {
    output.answer(answer, () => `${name} is unchanged (version ${current.version})`)
    return EXIT.ok
  }
  if (options.dryRun) {
    output.answer(
      answer,
      () => `${changeLines(changes)}\n${name} would be ${current ? `changed from version ${current.version}` : 'created'}`,
    )
    return EXIT.ok
  }
  if (current) output.note(changeLines(changes))
  if (current && !options.yes && !(await isConfirmed(context, name))) return EXIT.failed
  const made = await send(context, read)
  output.answer(
    { ...answer, ...made, applied: true },
    () => `applied ${name} version ${made.version} (${short(made.podId)}). Nodes load it now: heurist pod get ${name}`,
  )
  return EXIT.ok
}

function changeLines(changes: readonly Change[]): string {
  const colour = { '+': pc.green, '-': pc.red, '~': pc.yellow }
  return changes
    .map(changeText)
    .map(line => colour[line[0] as keyof typeof colour](line)) // cast: each line starts with one of the three
    .join('\n')
}

/** Asks at a terminal only: a script that runs this command has decided already. */
async function isConfirmed({ output }: Context, name: string): Promise<boolean> {
  if (!process.stdin.isTTY || output.json) return true
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const said = await terminal.question(`Apply to ${name}? [y/N] `).finally(() => terminal.close())
  return /^y(es)?$/i.test(said.trim())
}

function send({ client }: Context, { manifest, modelFile }: ReadManifest): Promise<{ podId: string; version: number }> {
  return client('admin').post('/api/pods', { manifest: manifestText(manifest), modelFile })
}
