import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Logger, silentLogger } from '#platform'
import { deviceSchema } from '#protocol'
import { type Journal, openJournal } from '../journal.ts'
import { CPU_KERNEL, DeviceBenchmark, type Measured, measureCpu } from './benchmark.ts'
import { type CommandResult, runCommand } from './command.ts'
import { cpuDevice, readCgroupLimits, readHost } from './cpu.ts'
import { detectDevices } from './detect.ts'
import { parseGpuInstances, parseMigList } from './mig.ts'
import { detectNvidia } from './nvidia.ts'
import { parseNvidiaXml } from './nvidia-xml.ts'
import { detectRocm } from './rocm.ts'
import { wholeGpu } from './whole.ts'

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8')
const ok = (stdout: string): CommandResult => ({ code: 0, stdout, stderr: '' })
const missing: CommandResult = { code: null, stdout: '', stderr: 'ENOENT' }
const host = () => ({ model: 'AMD EPYC 9R14', cores: 2, memoryBytes: 8 * 2 ** 30 })

/** Answers of the tools by a word of the command line. */
function tools(answers: Record<string, CommandResult>) {
  return async (command: string, args: readonly string[]): Promise<CommandResult> => {
    const line = [command, ...args].join(' ')
    return Object.entries(answers).find(([word]) => line.includes(word))?.[1] ?? missing
  }
}

describe('nvidia-smi', () => {
  test('default: GPUs of several generations', async () => {
    const { devices, notes } = await detectNvidia(tools({ 'query-gpu': ok(fixture('nvidia-geforce.csv')) }))
    expect(notes).toEqual([expect.stringContaining('shorter listing')])
    expect(devices.map(({ kind, name, memoryBytes, computeCapability }) => [kind, name, memoryBytes / 2 ** 20, computeCapability])).toEqual(
      [
        ['gpu', 'NVIDIA GeForce RTX 3090', 24_576, 8.6],
        ['gpu', 'NVIDIA GeForce RTX 4090', 24_564, 8.9],
        ['gpu', 'NVIDIA GeForce RTX 5090', 32_607, 12],
      ],
    )
    for (const device of devices) expect(deviceSchema.safeParse(device).success, device.name).toBe(true)
  })

  test('behavior: a driver that does not know compute_cap is asked again, and the capability stays unknown', async () => {
    const run = tools({
      compute_cap: { code: 2, stdout: 'Field "compute_cap" is not a valid field to query.\n', stderr: '' },
      'query-gpu': ok(fixture('nvidia-old-driver.csv')),
    })
    const { devices } = await detectNvidia(run)
    expect(devices.map(device => [device.name, device.computeCapability])).toEqual([
      ['Tesla V100-SXM2-16GB', 0],
      ['GeForce GTX 1080 Ti', 0],
    ])
  })

  test('behavior: MIG instances stand in for their GPU; a GPU with MIG and no instance is said, not used', async () => {
    const run = tools({ 'query-gpu': ok(fixture('nvidia-a100-mig.csv')), '-L': ok(fixture('nvidia-a100-mig-list.txt')) })
    const { devices, notes } = await detectNvidia(run)
    expect(devices.map(({ id, kind, name, memoryBytes }) => [id.slice(0, 12), kind, name, memoryBytes])).toEqual([
      ['MIG-c6d4f1ef', 'mig', 'NVIDIA A100-SXM4-40GB MIG 3g.20gb', 20e9],
      ['MIG-cba663e8', 'mig', 'NVIDIA A100-SXM4-40GB MIG 1g.5gb+me', 5e9],
      ['GPU-5c89852c', 'gpu', 'NVIDIA A100-SXM4-40GB', 40_960 * 2 ** 20],
    ])
    expect(notes.slice(1)).toEqual([expect.stringContaining('GPU 2')])
  })

  test('behavior: the listing of drivers before 470, compute instances included', () => {
    expect(parseMigList(fixture('nvidia-mig-list-r450.txt')).map(({ uuid, profile, memoryBytes }) => [uuid, profile, memoryBytes])).toEqual(
      [
        ['MIG-GPU-e91edf3b-b297-37c1-a2a7-7601c3238fa2/1/0', '3g.20gb', 20e9],
        ['MIG-GPU-e91edf3b-b297-37c1-a2a7-7601c3238fa2/2/0', '1c.3g.20gb', 20e9],
      ],
    )
  })

  test('behavior: a GPU without a memory figure and a lost GPU are left out, each with a note', async () => {
    const { devices, notes } = await detectNvidia(tools({ 'query-gpu': ok(fixture('nvidia-h100-h200.csv')) }))
    expect(devices.map(device => device.name)).toEqual(['NVIDIA H100 80GB HBM3', 'NVIDIA H200'])
    expect(notes.slice(1)).toEqual([expect.stringContaining('[Unknown Error]'), expect.stringContaining('NVIDIA GB10')])
  })

  test('default: the XML of four generations, schemas 10 to 13', () => {
    const read = (name: string) => parseNvidiaXml(fixture(name))
    const told = ['v10-gtx1070ti', 'v11-tesla-t4', 'v13-rtx-pro-6000'].map(name => read(`nvidia-q-x-${name}.xml`).gpus[0])
    expect(told.map(gpu => [gpu?.name, (gpu?.memoryBytes ?? 0) / 2 ** 20, gpu?.isMigEnabled, gpu?.mig.length])).toEqual([
      ['GeForce GTX 1070 Ti', 4096, false, 0],
      // What the driver reserves is not there for pods.
      ['Tesla T4', 15_360 - 388, false, 0],
      ['NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition', 97_887 - 637, false, 0],
    ])
    expect(read('nvidia-q-x-v12-a100-mig.xml').gpus[0]?.mig).toHaveLength(4)
  })

  test('default: memory from the XML, compute capability from the rows', async () => {
    const run = tools({
      'query-gpu': ok('0, GPU-d37e67a5-91dd-3774-a5cb-99096249601a, Tesla T4, 15360, [N/A], 7.5\n'),
      '-q -x': ok(fixture('nvidia-q-x-v11-tesla-t4.xml')),
    })
    expect((await detectNvidia(run)).devices).toMatchObject([{ kind: 'gpu', computeCapability: 7.5, memoryBytes: 14_972 * 2 ** 20 }])
  })

  test('behavior: MIG instances have the memory that the driver tells, and an instance that nothing can use is said', async () => {
    const gpu = 'GPU-513536b6-7d19-9063-b049-1e69664bb298'
    const lines = ['a', 'b', 'c', 'd'].map((letter, index) => `  MIG 1g.20gb     Device  ${index}: (UUID: MIG-${letter})`)
    const cut = '|   0  MIG 1g.20gb         15        9          6:1     |'
    const run = tools({
      'query-gpu': ok(`0, ${gpu}, NVIDIA A100-SXM4-80GB, 81920, Enabled, 8.0\n`),
      '-q -x': ok(fixture('nvidia-q-x-v12-a100-mig.xml')),
      'mig -lgi': ok(cut),
      '-L': ok([`GPU 0: NVIDIA A100-SXM4-80GB (UUID: ${gpu})`, ...lines].join('\n')),
    })
    const { devices, notes } = await detectNvidia(run)
    expect(devices).toHaveLength(4)
    expect(devices[0]).toMatchObject({ kind: 'mig', id: 'MIG-a', parent: gpu, profile: '1g.20gb', memoryBytes: 19_968 * 2 ** 20 })
    expect(notes).toEqual([expect.stringMatching(/instance 9 .*-gi 9 -cci/)])
  })

  test('default: the table of GPU instances, in the widths of both generations', () => {
    expect(parseGpuInstances(fixture('nvidia-a100-mig-lgi.txt')).map(({ id, profile, start, size }) => [id, profile, start, size])).toEqual(
      [
        [11, '1g.5gb', 0, 1],
        [12, '1g.5gb', 1, 1],
        [6, '2g.10gb', 2, 2],
        [1, '3g.20gb', 4, 4],
      ],
    )
    expect(parseGpuInstances(fixture('nvidia-mig-lgi-r450.txt')).map(({ id, start }) => [id, start])).toEqual([
      [1, 4],
      [2, 0],
    ])
    expect(parseGpuInstances('No MIG-enabled devices found.\n')).toEqual([])
  })

  const bomb = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><nvidia_smi_log>&b;</nvidia_smi_log>`
  const outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><nvidia_smi_log><gpu><uuid>&a;</uuid></gpu></nvidia_smi_log>'
  const hostile: [string, string, RegExp][] = [
    ['nothing', '', /element|root/],
    ['no XML', 'Segmentation fault', /./],
    ['an entity that grows', bomb, /entity/],
    ['an entity that reads a file', outside, /entity/],
    ['a document cut off', fixture('nvidia-q-x-v11-tesla-t4.xml').slice(0, 900), /unclosed/],
    ['another document', '<html></html>', /root is <html>/],
    ['elements nested without end', '<a>'.repeat(5_000), /nested deeper/],
    ['elements without end', `<nvidia_smi_log>${'<a/>'.repeat(250_000)}</nvidia_smi_log>`, /more than 200000 elements/],
    ['more text than any machine has', ' '.repeat(9 * 2 ** 20), /characters/],
    ['more GPUs than any machine has', `<nvidia_smi_log>${'<gpu></gpu>'.repeat(65)}</nvidia_smi_log>`, /65 GPUs/],
  ]
  test.each(hostile)('error: XML with %s is a fault in words', (_label, text, fault) => {
    const log = parseNvidiaXml(text)
    expect(log.gpus).toEqual([])
    expect(log.fault).toMatch(fault)
  })

  test('behavior: an XML that can not be read is said, and the rows stand in for it', async () => {
    const run = tools({ 'query-gpu': ok(fixture('nvidia-geforce.csv')), '-q -x': ok(bomb) })
    const { devices, notes } = await detectNvidia(run)
    expect(devices).toHaveLength(3)
    expect(notes).toEqual([expect.stringMatching(/can not be read: .*entity/)])
  })

  const broken: [string, CommandResult, RegExp][] = [
    [
      'a driver that does not run',
      { code: 9, stdout: "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", stderr: '' },
      /exit 9.*driver/,
    ],
    ['a version mismatch', { code: 18, stdout: '', stderr: 'Failed to initialize NVML: Driver/library version mismatch\n' }, /mismatch/],
    ['no devices', { code: 6, stdout: 'No devices were found\n', stderr: '' }, /No devices/],
    ['garbage', ok('Segmentation fault\n'), /no GPU/],
  ]
  for (const [label, answer, note] of broken) {
    test(`error: ${label} means no device and a note`, async () => {
      const { devices, notes } = await detectNvidia(tools({ 'nvidia-smi': answer }))
      expect(devices).toEqual([])
      expect(notes.join()).toMatch(note)
    })
  }

  test('behavior: without the tool there is nothing to say', async () => {
    expect(await detectNvidia(tools({}))).toEqual({ devices: [], notes: [] })
  })
})

describe('rocm-smi', () => {
  test('default: release 5, an integrated GPU without an id included', async () => {
    const { devices } = await detectRocm(tools({ 'rocm-smi': ok(fixture('rocm5-rx6800.json')) }))
    expect(devices.map(({ id, name, memoryBytes }) => [id, name, memoryBytes])).toEqual([
      ['AMD-0x9b1e2c3d4f5a6b7c', 'Radeon RX 6800', 17_163_091_968],
      ['AMD-card1', 'CEZANN', 536_870_912],
    ])
  })

  test('default: release 6, with a warning before the JSON and a card without a figure', async () => {
    const { devices, notes } = await detectRocm(tools({ 'rocm-smi': ok(fixture('rocm6-mi300x.txt')) }))
    expect(devices).toMatchObject([{ name: 'AMD Instinct MI300X OAM (gfx942)', memoryBytes: 206_141_652_992, computeCapability: 0 }])
    expect(notes).toEqual([expect.stringContaining('card1')])
  })

  test('default: release 4, where members hold ids only, and release 6 without a graphics version', async () => {
    const named = async (name: string) => (await detectRocm(tools({ 'rocm-smi': ok(fixture(name)) }))).devices
    expect(await named('rocm4-rx6700xt.json')).toMatchObject([{ id: 'AMD-card0', name: '67XA6S', memoryBytes: 12_868_124_672 }])
    expect((await named('rocm6-mi100.json')).map(({ id }) => id)).toEqual(['AMD-0x79ccd55167a2124a', 'AMD-0x4edfb117a17a07d'])
  })

  const broken: [string, CommandResult, RegExp][] = [
    ['no driver', { code: 1, stdout: '', stderr: 'ERROR:root:Driver not initialized (amdgpu not found in modules)\n' }, /amdgpu/],
    ['half a JSON', ok('{"card0": {"Unique ID": '), /exit 0/],
    ['nothing', ok(''), /nothing/],
  ]
  for (const [label, answer, note] of broken) {
    test(`error: ${label} means no device and a note`, async () => {
      const { devices, notes } = await detectRocm(tools({ 'rocm-smi': answer }))
      expect(devices).toEqual([])
      expect(notes.join()).toMatch(note)
    })
  }
})

describe('cpu', () => {
  test('default: this machine', () => {
    const facts = readHost()
    expect(facts.cores).toBeGreaterThan(0)
    expect(facts.memoryBytes).toBeGreaterThan(2 ** 20)
    expect(deviceSchema.safeParse(cpuDevice(facts, 10_000)).success).toBe(true)
  })

  const limits: [string, Record<string, string>, { cores: number | null; memoryBytes: number | null }][] = [
    ['version 2', { 'memory.max': '1073741824\n', 'cpu.max': '150000 100000\n' }, { cores: 1.5, memoryBytes: 2 ** 30 }],
    ['version 2 without limits', { 'memory.max': 'max\n', 'cpu.max': 'max 100000\n' }, { cores: null, memoryBytes: null }],
    [
      'version 1',
      { 'memory/memory.limit_in_bytes': '2147483648', 'cpu/cpu.cfs_quota_us': '50000', 'cpu/cpu.cfs_period_us': '100000' },
      { cores: 0.5, memoryBytes: 2 ** 31 },
    ],
    [
      'version 1 without limits',
      { 'memory/memory.limit_in_bytes': '9223372036854771712', 'cpu/cpu.cfs_quota_us': '-1', 'cpu/cpu.cfs_period_us': '100000' },
      { cores: null, memoryBytes: null },
    ],
    ['none', {}, { cores: null, memoryBytes: null }],
  ]
  for (const [label, files, expected] of limits) {
    test(`behavior: control groups, ${label}`, () => {
      const root = mkdtempSync(join(tmpdir(), 'heurist-cgroup-'))
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(join(root, name, '..'), { recursive: true })
        writeFileSync(join(root, name), text)
      }
      expect(readCgroupLimits(root)).toEqual(expected)
      rmSync(root, { recursive: true })
    })
  }

  test('behavior: a share of the CPU promises that share of the memory', () => {
    expect(cpuDevice(host(), 4000)).toMatchObject({ kind: 'cpu', shareBps: 4000, memoryBytes: Math.floor(8 * 2 ** 30 * 0.4) })
  })
})

describe('detectDevices', () => {
  test('default: GPUs first, the CPU last, notes in the log', async () => {
    const warnings: string[] = []
    const logger = { ...silentLogger, warn: (text: string) => warnings.push(text) } as unknown as Logger // cast: only `warn` is looked at
    const run = tools({ 'query-gpu': ok(fixture('nvidia-geforce.csv')), 'rocm-smi': ok('broken') })
    const devices = await detectDevices({ shareBps: 10_000, offers: [], prices: [] }, { logger, run, host })
    expect(devices.map(device => device.kind)).toEqual(['gpu', 'gpu', 'gpu', 'cpu'])
    expect(warnings).toEqual([expect.stringContaining('shorter listing'), expect.stringContaining('rocm-smi failed')])
  })

  test('behavior: a tool that is not installed is told from one that fails', async () => {
    expect((await runCommand('heurist-no-such-tool', [])).code).toBeNull()
    expect(await runCommand(process.execPath, ['-e', 'console.error("x"); process.exit(3)'])).toMatchObject({ code: 3, stderr: 'x\n' })
  })
})

describe('benchmark', () => {
  let root: string
  let journal: Journal
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'heurist-benchmark-'))
    journal = openJournal(join(root, 'journal.jsonl'))
  })
  afterEach(() => {
    journal.close()
    rmSync(root, { recursive: true })
  })
  const benchmarkOf = (measure: () => Promise<Measured | null>) => new DeviceBenchmark({ journal, now: () => 1000, measure })

  test('default: a real figure, kept for the second start', async () => {
    let measurements = 0
    const benchmark = benchmarkOf(async () => ({ score: 2e9 + ++measurements, kernel: CPU_KERNEL }))
    const run = async (shareBps: number, isForced = false) =>
      (await benchmark.register(cpuDevice(host(), shareBps), { isForced })).benchmark
    expect(await run(10_000)).toEqual({ score: 2e9 + 1, kernel: CPU_KERNEL, measuredAtMs: 1000 })
    expect((await run(10_000))?.score).toBe(2e9 + 1)
    expect((await run(10_000, true))?.score).toBe(2e9 + 2)
    // Another share is another device: half of the same processor scores half.
    expect((await run(5000))?.score).toBe((2e9 + 3) / 2)
    expect(measurements).toBe(3)
  })

  test('behavior: a figure of a kernel that is no more is measured anew, and a device that nothing measures has none', async () => {
    await benchmarkOf(async () => ({ score: 9e9, kernel: 'matmul-of-old' })).register(cpuDevice(host(), 10_000), { isForced: false })
    const renewed = await benchmarkOf(async () => ({ score: 1e9, kernel: CPU_KERNEL })).register(cpuDevice(host(), 10_000), {
      isForced: false,
    })
    expect(renewed.benchmark).toMatchObject({ score: 1e9, kernel: CPU_KERNEL })
    const gpu = wholeGpu({ id: 'GPU-a', name: 'x', memoryBytes: 1, computeCapability: 8 })
    expect((await benchmarkOf(async () => null).register(gpu, { isForced: false })).benchmark).toBeNull()
  })

  test('behavior: measured again, a slower figure counts by steps and a faster one at once, also after a restart', async () => {
    const scores = [1000, 100, 100, 2000]
    const benchmark = benchmarkOf(async () => ({ score: scores.shift() ?? 0, kernel: CPU_KERNEL }))
    let device = await benchmark.register(cpuDevice(host(), 5_000), { isForced: false })
    const seen = [device.benchmark?.score]
    for (let i = 0; i < 3; i++) {
      device = (await benchmark.repeat(device)) ?? device
      seen.push(device.benchmark?.score)
    }
    expect(seen).toEqual([500, 450, 405, 1000])
    expect((await benchmark.register(cpuDevice(host(), 5_000), { isForced: false })).benchmark?.score).toBe(1000)
    expect(await benchmarkOf(async () => null).repeat(device)).toBeNull()
  })

  test('behavior: the kernel measures this processor', () => {
    const score = measureCpu()
    expect(score).toBeGreaterThan(1e7)
    expect(score).toBeLessThan(1e13)
  })
})
