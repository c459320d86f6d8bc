import type { CpuProfile } from './record.ts'

type Frame = { readonly name: string; readonly kind: string; timeUs: number; readonly children: Map<string, Frame> }

const WIDTH = 1200
const ROW = 17
const MAX_DEPTH = 28
/** Narrower frames are left out: they could be neither read nor pointed at. */
const MIN_SHARE = 0.0025
const CHARACTER = 6.2
const COLOURS: Readonly<Record<string, string>> = { ours: '#f2a65a', library: '#8fb8de', node: '#c9d6a3', engine: '#cccccc' }

function kindOf(url: string): string {
  if (url === '') return 'engine'
  if (url.includes('node_modules')) return 'library'
  return url.includes('/src/') ? 'ours' : 'node'
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const file = url.replace(/^.*\/(?:src|node_modules)\//, '')
  return `${functionName || '(anonymous)'}${file === '' ? '' : ` ${file}:${lineNumber + 1}`}`
}

/** The samples as a tree of frames; idle time is left out. */
function treeOf({ nodes, samples, timeDeltas }: CpuProfile): Frame {
  const ownUs = new Map<number, number>()
  for (const [i, id] of samples.entries()) ownUs.set(id, (ownUs.get(id) ?? 0) + (timeDeltas[i] ?? 0))
  const byId = new Map(nodes.map(node => [node.id, node]))
  const fill = (frame: Frame, id: number): void => {
    frame.timeUs += ownUs.get(id) ?? 0
    for (const child of byId.get(id)?.children ?? []) {
      const callFrame = byId.get(child)!.callFrame
      if (callFrame.functionName === '(idle)') continue
      const name = nameOf(callFrame)
      const below = frame.children.get(name) ?? { name, kind: kindOf(callFrame.url), timeUs: 0, children: new Map() }
      frame.children.set(name, below)
      const before = below.timeUs
      fill(below, child)
      frame.timeUs += below.timeUs - before
    }
  }
  const root: Frame = { name: 'main thread, busy', kind: 'engine', timeUs: 0, children: new Map() }
  fill(root, nodes[0]!.id)
  return root
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function boxOf(frame: Frame, x: number, depth: number, width: number, share: number): string {
  const room = Math.floor((width - 6) / CHARACTER)
  const label = room < 3 ? '' : frame.name.length <= room ? frame.name : `${frame.name.slice(0, room - 1)}…`
  const text = label === '' ? '' : `<text x="${(x + 3).toFixed(1)}" y="${depth * ROW + 12}">${escaped(label)}</text>`
  const box = `<rect x="${x.toFixed(1)}" y="${depth * ROW}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${COLOURS[frame.kind]}"/>`
  return `<g><title>${escaped(frame.name)} ${(100 * share).toFixed(1)} %</title>${box}${text}</g>`
}

/** An icicle graph (a flame graph that hangs): callers above, callees below, width is CPU time. Point at a box for its share. */
export function icicleOf(profile: CpuProfile, title: string): string {
  const root = treeOf(profile)
  const boxes: string[] = []
  let deepest = 0
  const draw = (frame: Frame, x: number, depth: number): void => {
    const share = frame.timeUs / root.timeUs
    if (share < MIN_SHARE || depth > MAX_DEPTH) return
    deepest = Math.max(deepest, depth)
    boxes.push(boxOf(frame, x, depth, share * WIDTH, share))
    let at = x
    for (const child of [...frame.children.values()].sort((a, b) => b.timeUs - a.timeUs)) {
      draw(child, at, depth + 1)
      at += (child.timeUs / root.timeUs) * WIDTH
    }
  }
  draw(root, 0, 2)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${(deepest + 1) * ROW}" font-family="monospace" font-size="10.3" fill="#222">`,
    `<text x="3" y="14" font-size="13">${escaped(title)}</text>`,
    '<text x="3" y="30">orange: ours · blue: libraries · green: Node · grey: the engine</text>',
    ...boxes,
    '</svg>\n',
  ].join('\n')
}
