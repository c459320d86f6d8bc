export const MIB = 2 ** 20

/** One GPU as the vendor's tool tells of it, in whichever of its formats. */
export type NvidiaGpu = {
  readonly index: number
  readonly uuid: string
  readonly name: string
  /** Null when the tool does not say ([N/A] on machines whose GPU shares the main memory). */
  readonly memoryBytes: number | null
  readonly isMigEnabled: boolean
  /** 0 when an old driver does not say: such a GPU gets no pod that asks for one. */
  readonly computeCapability: number
}

/** Rows of `nvidia-smi --query-gpu=… --format=csv,noheader,nounits`. Rows that make no sense are left out and said. */
export function parseQuery(csv: string, fields: readonly string[]): { gpus: NvidiaGpu[]; notes: string[] } {
  const gpus: NvidiaGpu[] = []
  const notes: string[] = []
  for (const line of csv.split('\n')) {
    if (line.trim() === '') continue
    const gpu = parseRow(line, fields)
    if (gpu) gpus.push(gpu)
    else notes.push(`nvidia-smi printed a line that is no GPU: "${line.trim().slice(0, 100)}"`)
  }
  return { gpus, notes }
}

function parseRow(line: string, fields: readonly string[]): NvidiaGpu | null {
  const cells = line.split(',').map(cell => cell.trim())
  const cell = (name: string) => cells[fields.indexOf(name)] ?? ''
  const index = Number(cell('index'))
  if (cells.length !== fields.length || !Number.isInteger(index) || !cell('uuid').startsWith('GPU-')) return null
  const memoryMib = Number(cell('memory.total'))
  const capability = Number(cell('compute_cap'))
  return {
    index,
    uuid: cell('uuid'),
    name: cell('name'),
    memoryBytes: Number.isFinite(memoryMib) && memoryMib > 0 ? memoryMib * MIB : null,
    isMigEnabled: cell('mig.mode.current') === 'Enabled',
    computeCapability: Number.isFinite(capability) && capability > 0 ? capability : 0,
  }
}
