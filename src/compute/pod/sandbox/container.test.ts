import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { detectContainers } from './container-detect.ts'
import { requireSandbox } from './detect.ts'
import { NO_DEVICE, type SandboxSpec } from './sandbox.ts'
import { LIMITS } from './testing/run.ts'

const IMAGE = `registry.example/tool@sha256:${'ab'.repeat(32)}`
const SPEC: SandboxSpec = {
  argv: ['tool', '--privileged', '/host'],
  image: IMAGE,
  files: [],
  environment: {},
  hasNetwork: false,
  hasSocket: false,
  device: NO_DEVICE,
  limits: LIMITS,
}
type Answers = {
  readonly name?: string
  readonly info?: string
  readonly names?: string
  readonly image?: boolean
  readonly pull?: boolean
}

/** A stand-in that writes down what it is told; what real engines do with it is tried by escape.test.ts, where there is one. */
function standIn({ name = 'docker', info = 'echo "[name=seccomp]"', names = '', image = true, pull = true }: Answers = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'heurist-engine-'))
  const [path, told, variables] = [join(folder, name), join(folder, 'told'), join(folder, 'variables')]
  const script = `#!/bin/bash
for argument; do printf '%s\\n' "$argument"; done >> ${told}; printf -- '--\\n' >> ${told}
case "$1" in
  --version) echo "${name} version 9.8.7" ;;
  info) ${info} ;;
  ps) printf '${names}' ;;
  image) ${image} ;;
  pull) ${pull} || { echo "no such manifest" >&2; exit 1; } ;;
  run) while [ "$1" != --env-file ]; do shift; done; cat "$2" > ${variables}; echo ran ;;
  *) false ;;
esac
`
  writeFileSync(path, script, { mode: 0o755 })
  const calls = (): string[][] =>
    readFileSync(told, 'utf8')
      .split('\n--\n')
      .map(call => call.split('\n'))
      .filter(call => call[0] !== '')
  return {
    path,
    calls,
    variables: () => (existsSync(variables) ? readFileSync(variables, 'utf8') : ''),
    async run(spec: Partial<SandboxSpec> = {}): Promise<string[]> {
      const program = await requireSandbox(await detectContainers([path])).start({ ...SPEC, ...spec }, AbortSignal.timeout(60_000))
      program.stderr.resume()
      const said = await program.stdout.setEncoding('utf8').toArray()
      expect({ said, exit: await program.exited }).toEqual({ said: ['ran\n'], exit: { code: 0, signal: null, wasKilled: false } })
      return calls().find(([verb]) => verb === 'run') ?? []
    },
  }
}
const pairsOf = (call: readonly string[]): string[] =>
  call.flatMap((argument, at) => (argument.startsWith('--') ? [`${argument} ${call[at + 1]}`] : []))

describe('containers', () => {
  test('default: nothing of the host, no network, no privileges, all limits, the image by its digest', async () => {
    const call = await standIn().run()
    expect(pairsOf(call)).toEqual(
      expect.arrayContaining([
        '--network none',
        '--ipc none',
        '--cap-drop all',
        '--security-opt no-new-privileges',
        '--pull never',
        '--entrypoint ',
        `--memory ${LIMITS.memoryBytes}`,
        `--memory-swap ${LIMITS.memoryBytes}`,
        `--pids-limit ${LIMITS.processes}`,
        `--ulimit nofile=${LIMITS.openFiles}:${LIMITS.openFiles}`,
        '--ulimit core=0:0',
        `--tmpfs /tmp:rw,nosuid,nodev,size=${LIMITS.tmpBytes},mode=1777`,
      ]),
    )
    expect(call).toContain('--read-only')
    const [uid = ''] = /^\d+:\d+$/.exec(call[call.indexOf('--user') + 1] ?? '') ?? []
    expect(Number(uid.split(':')[0])).toBeGreaterThan(1_000_000)
    // What comes behind the image is the program's, whatever it looks like.
    expect(call.slice(call.indexOf(IMAGE))).toEqual([IMAGE, 'tool', '--privileged', '/host'])
    expect(call.slice(0, call.indexOf(IMAGE)).filter(argument => /privileged|volume|publish|docker\.sock/.test(argument))).toEqual([])
  })

  test('behavior: what only podman knows is said to podman only', async () => {
    const podman = standIn({ name: 'podman', info: 'echo false' })
    expect(await podman.run()).toContain('--read-only-tmpfs=false')
    expect((await standIn().run()).join()).not.toMatch(/read-only-tmpfs|notmpcopyup/)
  })

  test('behavior: variables come by a file and not as arguments, so that no process list shows a secret', async () => {
    const engine = standIn()
    const call = await engine.run({
      environment: { TOKEN: 'hush = "hush" #' },
      device: { ...NO_DEVICE, environment: { CUDA_VISIBLE_DEVICES: 'GPU-a' } },
    })
    expect(engine.variables()).toBe('HOME=/tmp\nLANG=C.UTF-8\nTOKEN=hush = "hush" #\nCUDA_VISIBLE_DEVICES=GPU-a\n')
    expect(call.join()).not.toContain('hush')
  })

  test('behavior: network, device, cores and socket when they are granted', async () => {
    const engine = standIn()
    const device = { nodes: ['/dev/null'], folders: ['/sys/class'], groups: [44], environment: {}, cores: 1.5 }
    const call = pairsOf(await engine.run({ hasNetwork: true, hasSocket: true, device }))
    expect(call).toEqual(expect.arrayContaining(['--network host', '--device /dev/null', '--group-add 44', '--cpus 1.5']))
    expect(call).toContain('--mount type=bind,source=/sys/class,target=/sys/class,readonly')
    expect(call.some(pair => /^--tmpfs \/run\/heurist-[0-9a-f]{16}:rw,nosuid,nodev,size=65536,mode=0777$/.test(pair))).toBe(true)
    expect(engine.variables()).toMatch(/^HEURIST_SOCKET=\/run\/heurist-[0-9a-f]{16}\/http\.sock$/m)
  })

  test('behavior: an image that is not here is pulled by its digest, once', async () => {
    const engine = standIn({ image: false })
    await engine.run()
    expect(engine.calls().filter(([verb]) => verb === 'pull')).toEqual([['pull', '--quiet', IMAGE]])
  })

  test('behavior: containers of nodes that are no more are removed at start, others stay', async () => {
    const start = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[19]
    const names = [
      'heurist-1-1-0',
      `heurist-${process.pid}-${start}-7`,
      `heurist-${process.pid}-1-2`,
      'heurist-db',
      'my-heurist-1-1-0',
      'heurist-1-1-x',
    ]
    const engine = standIn({ names: names.join('\\n') })
    expect((await detectContainers([engine.path])).problem).toBeNull()
    expect(engine.calls().filter(([verb]) => verb === 'rm')).toEqual([
      ['rm', '--force', 'heurist-1-1-0'],
      ['rm', '--force', `heurist-${process.pid}-1-2`],
    ])
  })

  const REFUSED: [label: string, spec: Partial<SandboxSpec>, message: RegExp][] = [
    ['no image', { image: null }, /names no container image/],
    ['no command', { argv: [] }, /names no command/],
    ['a variable of several lines', { environment: { KEY: 'a\nPATH=/evil' } }, /KEY has several lines/],
    ['a file that would be mounted elsewhere', { files: [{ from: '/etc/hosts', to: '/etc/passwd' }] }, /Files lie in \/pod/],
    [
      'a path with options in it',
      { files: [{ from: mkdtempSync(join(tmpdir(), 'a,readonly=false,')), to: '/pod/x' }] },
      /comma or a quote/,
    ],
  ]
  for (const [label, spec, message] of REFUSED) {
    test(`error: ${label}`, async () => {
      const engine = standIn()
      await expect(engine.run(spec)).rejects.toMatchObject({ code: 'SANDBOX_BAD_PROGRAM', message: expect.stringMatching(message) })
      expect(engine.calls().some(([verb]) => verb === 'run')).toBe(false)
    })
  }

  test('error: an image that can not be pulled says why', async () => {
    await expect(standIn({ image: false, pull: false }).run()).rejects.toMatchObject({
      code: 'SANDBOX_BAD_PROGRAM',
      message: expect.stringContaining('no such manifest'),
    })
  })
})

describe('detectContainers', () => {
  const problemOf = async (...paths: string[]) => (await detectContainers(paths)).problem

  test('default: the first that works', async () => {
    const broken = standIn({ name: 'podman', info: 'exit 1' })
    const { sandbox } = await detectContainers(['/nowhere/podman', broken.path, standIn().path])
    expect(sandbox?.description).toBe('docker 9.8.7, as root with a user per program')
  })

  test('error: without any it says how to get one', async () => {
    expect(await problemOf('/nowhere/podman')).toMatch(/Neither podman nor docker is installed\. .*apt-get install podman/)
  })

  test('error: one that is installed and does not work', async () => {
    expect(await problemOf(standIn({ info: 'exit 1' }).path)).toMatch(/is installed and does not work: run ".*docker info"/)
  })

  test('error: podman without root where it can limit no memory', async () => {
    const info = (groups: string) => `case "$3" in *Rootless*) echo true ;; *) echo "${groups}" ;; esac`
    expect(await problemOf(standIn({ name: 'podman', info: info('v1 []') }).path)).toContain('can limit neither memory nor processes')
    const { sandbox } = await detectContainers([standIn({ name: 'podman', info: info('v2 [cpu memory pids]') }).path])
    expect(sandbox?.description).toBe('podman 9.8.7, without root')
  })
})
