import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Device, deviceSchema } from '#protocol'
import type { RunCommand } from './command.ts'
import { grantOf } from './grant.ts'

const device = (kind: Device['kind'], more: object): Device =>
  deviceSchema.parse({ kind, name: 'x', memoryBytes: 1, benchmark: null, ...more })
const MIG_XML = `<?xml version="1.0" ?><nvidia_smi_log><gpu id="1"><product_name>A100</product_name><uuid>GPU-b</uuid>
  <mig_mode><current_mig>Enabled</current_mig></mig_mode><fb_memory_usage><total>40960 MiB</total></fb_memory_usage>
  <mig_devices><mig_device><index>0</index><gpu_instance_id>2</gpu_instance_id><compute_instance_id>1</compute_instance_id>
  <fb_memory_usage><total>19968 MiB</total></fb_memory_usage></mig_device></mig_devices></gpu></nvidia_smi_log>`
const MIG_LIST = 'GPU 0: A100 (UUID: GPU-b)\n  MIG 3g.20gb     Device  0: (UUID: MIG-0a1b)\n'
const run: RunCommand = async (_command, args) => ({ code: 0, stdout: args.includes('-L') ? MIG_LIST : MIG_XML, stderr: '' })

/** /proc, /dev and /sys of a machine with two NVIDIA GPUs, one of them under MIG, and two AMD cards. */
function machine(root: string): void {
  const write = (path: string, text = '', mode = 0o666): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
    chmodSync(join(root, path), mode)
  }
  write('proc/driver/nvidia/gpus/0000:01:00.0/information', 'Model: \t\t RTX 4090\nGPU UUID: \t GPU-a\nDevice Minor: \t 0\n')
  write('proc/driver/nvidia/gpus/0000:02:00.0/information', 'Model: \t\t A100\nGPU UUID: \t GPU-b\nDevice Minor: \t 1\n')
  write('proc/driver/nvidia/capabilities/gpu1/mig/gi2/access', 'DeviceFileMinor: 21\nDeviceFileMode: 292\nDeviceFileModify: 1\n')
  write('proc/driver/nvidia/capabilities/gpu1/mig/gi2/ci1/access', 'DeviceFileMinor: 23\nDeviceFileMode: 292\nDeviceFileModify: 1\n')
  for (const name of ['nvidiactl', 'nvidia-uvm', 'nvidia0', 'nvidia1', 'nvidia-caps/nvidia-cap21', 'nvidia-caps/nvidia-cap23', 'kfd'])
    write(`dev/${name}`)
  for (const [index, uniqueId] of [
    [0, '18f68e602b8a790f'],
    [1, null],
  ] as const) {
    const place = `sys/devices/pci0/0000:0${index}`
    write(`dev/dri/renderD${128 + index}`, '', 0o660)
    mkdirSync(join(root, place, `drm/renderD${128 + index}`), { recursive: true })
    if (uniqueId) write(`${place}/unique_id`, `${uniqueId}\n`)
    for (const name of [`card${index}`, `renderD${128 + index}`]) {
      mkdirSync(join(root, 'sys/class/drm', name), { recursive: true })
      symlinkSync(join(root, place), join(root, 'sys/class/drm', name, 'device'))
    }
  }
}

describe('grantOf', () => {
  let root: string
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'heurist-machine-'))
    machine(root)
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  const grant = (of: Device) => grantOf(of, { run, cores: 4, root })

  const COMMON = ['/dev/nvidiactl', '/dev/nvidia-uvm']
  const GPUS = [
    ['a whole GPU', device('gpu', { id: 'GPU-a' }), ['/dev/nvidia0'], 'GPU-a'],
    ['a slice', device('slice', { id: 'GPU-a/1', parent: 'GPU-a' }), ['/dev/nvidia0'], 'GPU-a'],
    ['a group', device('group', { id: 'GROUP-x', members: ['GPU-a', 'GPU-b'] }), ['/dev/nvidia0', '/dev/nvidia1'], 'GPU-a,GPU-b'],
    [
      'a MIG instance',
      device('mig', { id: 'MIG-0a1b', parent: 'GPU-b', profile: '3g.20gb' }),
      ['/dev/nvidia1', '/dev/nvidia-caps/nvidia-cap21', '/dev/nvidia-caps/nvidia-cap23'],
      'MIG-0a1b',
    ],
    [
      'a MIG instance of an old driver',
      device('mig', { id: 'MIG-GPU-b/2/1', parent: 'GPU-b', profile: '3g.20gb' }),
      ['/dev/nvidia1', '/dev/nvidia-caps/nvidia-cap21', '/dev/nvidia-caps/nvidia-cap23'],
      'MIG-GPU-b/2/1',
    ],
  ] as const
  test.each(GPUS)('default: %s of NVIDIA, and no other', async (_label, of, nodes, visible) =>
    expect(await grant(of)).toEqual({
      nodes: [...COMMON, ...nodes],
      folders: [],
      groups: [],
      environment: { CUDA_VISIBLE_DEVICES: visible },
      cores: null,
    }),
  )

  test('default: an AMD card by its unique id, with the group that may open its node', async () => {
    const { nodes, folders, environment, groups } = await grant(device('gpu', { id: 'AMD-0x18f68e602b8a790f' }))
    expect(nodes).toEqual(['/dev/kfd', '/dev/dri/renderD128'])
    expect(folders).toContain('/sys/devices/pci0/0000:00')
    expect(environment).toEqual({ ROCR_VISIBLE_DEVICES: 'GPU-18F68E602B8A790F' })
    expect(groups).toEqual([process.getgid?.() ?? 0].filter(gid => gid !== 0))
  })

  test('behavior: an AMD card without a unique id is chosen by what the program can open', async () => {
    const { nodes, environment } = await grant(device('gpu', { id: 'AMD-card1' }))
    expect({ nodes, environment }).toEqual({ nodes: ['/dev/kfd', '/dev/dri/renderD129'], environment: {} })
  })

  test('default: a share of the CPU is so many processors; all of it has no limit', async () => {
    expect(await grant(device('cpu', { id: 'cpu', shareBps: 3_750 }))).toMatchObject({
      cores: 1.5,
      nodes: [],
      environment: { OMP_NUM_THREADS: '1' },
    })
    expect(await grant(device('cpu', { id: 'cpu' }))).toMatchObject({ cores: null, nodes: [], environment: {} })
  })

  test.each([
    [
      'a GPU that the driver does not know',
      device('gpu', { id: 'GPU-z' }),
      /GPU-z can not be handed to a program: the driver does not know GPU-z/,
    ],
    ['a MIG instance that is gone', device('mig', { id: 'MIG-gone', parent: 'GPU-b', profile: '1g' }), /does not list MIG-gone any more/],
    ['an AMD card that is gone', device('gpu', { id: 'AMD-card7' }), /no card of \/sys\/class\/drm is AMD-card7/],
  ])('error: %s', async (_label, of, message) => expect(grant(of)).rejects.toThrow(message))

  test('error: modules that are not loaded', async () => {
    rmSync(join(root, 'dev/nvidia-uvm'))
    rmSync(join(root, 'dev/kfd'))
    await expect(grant(device('gpu', { id: 'GPU-a' }))).rejects.toThrow(/nvidia-uvm is not there.*nvidia-modprobe/)
    await expect(grant(device('gpu', { id: 'AMD-card1' }))).rejects.toThrow(/kfd is not there.*amdgpu/)
  })
})
