import type { Command } from 'commander'
import { type Attach, notFound } from './commands.ts'
import { EXIT, short, table } from './output.ts'
import { podApplyCommands } from './pod-apply.ts'
import { podLogsCommand } from './pod-logs.ts'
import { type DeployOptions, manifestOf, manifestText } from './pod-manifest.ts'

type PodRow = {
  podId: string
  name: string
  runtime: string
  engine: string
  version: number
  deployer: string
  manifestHash: string
  description: string
  model: { id: string; quantization: string; contextLength: number }
  priceCreditsPerMillion: { input: string; output: string }
  warm: number
  replicas: number
  freeSlots: number
  scale: { desired: number; ceiling: number | null; reasons: readonly string[] } | null
}
/** `heurist pod …`: what runs on the nodes, and how to add one. */
export function podCommands(pod: Command, attach: Attach): void {
  attach(pod.command('list').description('List pods with prices and replicas'), async ({ output, client }) => {
    const { data } = await client().get<{ data: readonly PodRow[] }>('/api/pods')
    output.answer(data, () => table(['pod', 'runtime', 'model', 'credits per 1M in/out', 'warm', 'free slots', 'version'], data.map(rowOf)))
    return EXIT.ok
  })
  attach(pod.command('get <name>').description('Show one pod'), async ({ output, client }, [name = '']) => {
    const { data } = await client().get<{ data: readonly PodRow[] }>('/api/pods')
    const found = data.find(row => row.name === name || row.podId === name)
    if (!found) throw notFound(`No pod is named "${name}". Pods: ${data.map(row => row.name).join(', ') || 'none'}.`)
    output.answer(
      found,
      () =>
        `${found.name}  ${found.description}\n\n${table(['pod', 'runtime', 'model', 'credits per 1M in/out', 'warm', 'free slots', 'version'], [rowOf(found)])}\n\n${scaleText(found)}\nid ${found.podId}\nmanifest ${found.manifestHash}\ndeployer ${found.deployer}`,
    )
    return EXIT.ok
  })
  const deploy = pod
    .command('deploy')
    .description('Deploy a pod: your own model, or a manifest')
    .option('--model <source>', './file.gguf, hf:<owner>/<repo>[/<file>] or https://…')
    .option('-f, --file <manifest>', 'pod manifest (YAML or JSON)')
    .option('--name <name>', 'name that users put into "model"; default: from the model')
    .option('--input-price <credits>', 'credits per 1M input tokens', '5')
    .option('--output-price <credits>', 'credits per 1M output tokens', '10')
    .option('--context <tokens>', 'context length', Number)
  attach(deploy, async (context, _args, options: DeployOptions) => {
    const { manifest, modelFile } = await manifestOf(context, options)
    const made = await context
      .client('admin')
      .post<{ podId: string; version: number }>('/api/pods', { manifest: manifestText(manifest), modelFile })
    context.output.answer(
      { name: manifest.metadata.name, ...made },
      () =>
        `deployed ${manifest.metadata.name} version ${made.version} (${short(made.podId)}). Nodes load it now: heurist pod get ${manifest.metadata.name}`,
    )
    return EXIT.ok
  })
  podApplyCommands(pod, attach)
  podLogsCommand(pod, attach)
  attach(pod.command('delete <name>').description('Take a pod off the network'), async ({ output, client }, [name = '']) => {
    const answer = await client('admin').remove<{ name: string }>(`/api/pods/${encodeURIComponent(name)}`)
    output.answer(answer, () => `deleted ${answer.name}`)
    return EXIT.ok
  })
}

function scaleText({ scale }: PodRow): string {
  if (!scale) return 'replicas wanted: not looked at yet'
  const ceiling = scale.ceiling === null ? '' : `, votes allow ${scale.ceiling}`
  return `replicas wanted: ${scale.desired}${ceiling} (${scale.reasons.join('; ')})`
}

function rowOf(pod: PodRow): (string | number)[] {
  return [
    pod.name,
    `${pod.runtime} (${pod.engine})`,
    `${pod.model.id} ${pod.model.quantization}`,
    `${pod.priceCreditsPerMillion.input} / ${pod.priceCreditsPerMillion.output}`,
    `${pod.warm} of ${pod.replicas}`,
    pod.freeSlots,
    pod.version,
  ]
}
