import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { closeSync, existsSync, lstatSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { detectSandbox, requireSandbox } from './detect.ts'
import { NO_DEVICE, type Sandbox, type SandboxProcess } from './sandbox.ts'
import { CLONE, CLONE3, DENIED, SOCKET } from './syscalls.ts'
import { kindNamed } from './testing/kinds.ts'
import { LIMITS, runScript, startScript } from './testing/run.ts'

const kinds = [await kindNamed('bubblewrap'), await kindNamed('container')]
const COLUMN = process.arch === 'x64' ? 0 : 1
const EPERM = 1
const SECRET = 'the key of this node'

/** Host processes whose command line holds a text. */
function processesWith(text: string): string[] {
  return readdirSync('/proc').filter(pid => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text)
    } catch {
      return false
    }
  })
}

/** Whether a process of user 65534 can load this project. */
function canBecomeNobody(): boolean {
  if (process.getuid?.() !== 0) return false
  const nobody = { uid: 65_534, gid: 65_534, cwd: '/' }
  return spawnSync(process.execPath, ['--check', join(import.meta.dirname, 'detect.ts')], nobody).status === 0
}

const gone = (marker: string) => vi.waitFor(() => expect(processesWith(marker)).toEqual([]), { timeout: 30_000, interval: 20 })

// Law N1. Each test is a program that tries; none succeeds, whatever keeps it in.
for (const { name: kind, support, variables, paths: own } of kinds) {
  describe.skipIf(!support.sandbox)(`escape attempts, ${kind}${support.problem ? ` (skipped: ${support.problem})` : ''}`, () => {
    let sandbox: Sandbox
    let home: string
    let key: string
    beforeAll(() => {
      sandbox = requireSandbox(support)
      home = mkdtempSync(join(tmpdir(), 'heurist-host-'))
      key = join(home, 'key.json')
      writeFileSync(key, SECRET, { mode: 0o644 })
    })
    afterAll(() => rmSync(home, { recursive: true, force: true }))

    test('default: a program runs, reads its input, writes, and ends', async () => {
      const program = await startScript(sandbox, { node: "process.stdin.on('data', d => process.stdout.write(String(d).toUpperCase()))" })
      program.stdin.end('hello')
      const [said] = await Promise.all([program.stdout.setEncoding('utf8').toArray(), program.exited])
      expect(said.join('')).toBe('HELLO')
      expect(await program.exited).toEqual({ code: 0, signal: null, wasKilled: false })
    })

    test('behavior: no capabilities, no new privileges, a filter, a lesser user', async () => {
      const { stdout } = await runScript(sandbox, {
        sh: 'id -u; grep -E "^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):" /proc/self/status',
      })
      const [uid, ...status] = stdout.trim().split('\n')
      expect(Number(uid)).toBeGreaterThan(0)
      const none = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(name => `${name}:\t0000000000000000`)
      expect(status).toEqual([...none, 'NoNewPrivs:\t1', 'Seccomp:\t2'])
    })

    test('error: files of the host, its devices and its first process', async () => {
      const paths = [
        ...['/etc/shadow', '/etc/passwd', '/root', '/home', '/var/lib', '/sys/kernel', '/run', '/boot'],
        ...[key, `/pod/../..${key}`, `/proc/self/root${key}`, `/proc/1/root${key}`, `/proc/1/cwd/..${key}`],
        ...['/proc/1/environ', '/proc/1/mem', '/proc/kcore', '/proc/kmsg', '/dev/mem', '/dev/kmsg', '/dev/sda', '/dev/vda', '/dev/kvm'],
        join(import.meta.dirname, 'escape.test.ts'),
      ].filter(path => !own.includes(path))
      const node = `import fs from 'node:fs'
      for (const path of ${JSON.stringify(paths)}) {
        try { const s = fs.statSync(path); s.isDirectory() ? console.log(path, fs.readdirSync(path).length) : console.log(path, fs.readFileSync(path, 'utf8').slice(0, 40)) } catch {}
      }`
      const { stdout, code } = await runScript(sandbox, { node })
      expect({ stdout, code }).toEqual({ stdout: '', code: 0 })
    })

    /** Character and block devices that a program finds, its terminal's aside, by their path. */
    const devicesInside = async (options: Parameters<typeof runScript>[2] = {}): Promise<string[]> => {
      const node = `import fs from 'node:fs'
      const walk = path => fs.readdirSync(path).flatMap(name => { const inside = path + '/' + name; const s = fs.lstatSync(inside); return s.isDirectory() ? walk(inside) : s.isCharacterDevice() || s.isBlockDevice() ? [inside] : [] })
      console.log(JSON.stringify([...walk('/dev'), ...walk('/tmp'), ...walk('/pod')]))`
      const { stdout } = await runScript(sandbox, { node }, options)
      return (JSON.parse(stdout) as string[]).filter(path => !path.startsWith('/dev/pts/') && path !== '/dev/console').sort() // cast: as written above
    }
    const PLAIN = ['/dev/full', '/dev/null', '/dev/random', '/dev/tty', '/dev/urandom', '/dev/zero']
    /** In place of a GPU's: a device of this machine that no sandbox has by itself. */
    const spare = ['/dev/fuse', '/dev/kmsg', '/dev/autofs', '/dev/loop-control', '/dev/ptmx', '/dev/hwrng', '/dev/kvm'].find(
      path => existsSync(path) && lstatSync(path).isCharacterDevice(),
    )

    test('error: a device of the machine that was not granted, found or made', async () => {
      expect(await devicesInside()).toEqual(PLAIN)
      const { stdout } = await runScript(sandbox, {
        sh: 'mknod /tmp/nvidia0 c 195 0 2>/dev/null; mknod /dev/nvidia0 c 195 0 2>/dev/null; ls /tmp/nvidia0 /dev/nvidia0 2>/dev/null; echo tried',
      })
      expect(stdout).toBe('tried\n')
    })

    test.skipIf(!spare)(
      `behavior: a device that was granted is there, with the variables that name it, and no other${spare ? '' : ' (skipped: no device to stand in)'}`,
      async () => {
        const device = { ...NO_DEVICE, nodes: [String(spare)], environment: { CUDA_VISIBLE_DEVICES: 'GPU-a' } }
        expect(await devicesInside({ device })).toEqual([...PLAIN, spare].sort())
        const environment = { CUDA_VISIBLE_DEVICES: 'GPU-b' }
        expect((await runScript(sandbox, { sh: 'echo $CUDA_VISIBLE_DEVICES' }, { device, environment })).stdout).toBe('GPU-a\n')
      },
    )

    test('error: a device that is not there', () =>
      expect(startScript(sandbox, { sh: 'true' }, { device: { ...NO_DEVICE, nodes: ['/dev/nvidia99'] } })).rejects.toMatchObject({
        code: 'SANDBOX_BAD_PROGRAM',
      }))

    test.skipIf(!support.sandbox?.limitsCores)(
      'error: more processors than its share of the CPU (skipped where control groups do not count them)',
      async () => {
        const node = `const until = Date.now() + 1500; while (Date.now() < until); const { user, system } = process.cpuUsage(); console.log((user + system) / 1e6)`
        const { stdout } = await runScript(sandbox, { node }, { device: { ...NO_DEVICE, cores: 0.25 } })
        expect(Number(stdout)).toBeLessThan(0.8)
      },
    )

    test('error: links and dots out of its folder', async () => {
      const node = `import fs from 'node:fs'
      fs.symlinkSync(${JSON.stringify(key)}, '/tmp/link'); fs.symlinkSync('/proc/1/root', '/tmp/root'); fs.symlinkSync('../../../../..', '/tmp/up')
      for (const path of ['/tmp/link', '/tmp/root${key}', '/tmp/up${key}', '/pod/program.mjs/../..${key}']) { try { console.log(fs.readFileSync(path, 'utf8')) } catch (e) { console.log(e.code) } }
      try { fs.linkSync('/proc/self/exe', '/tmp/hard'); console.log('linked') } catch (e) { console.log('refused') }`
      const { stdout } = await runScript(sandbox, { node })
      expect(stdout).not.toContain(SECRET)
      expect(
        stdout
          .trim()
          .split('\n')
          .filter(line => !/^(ENOENT|EACCES|ENOTDIR|refused)$/.test(line)),
      ).toEqual([])
    })

    test('error: writing anywhere but in its own /tmp', async () => {
      const places = [
        '/',
        '/pod',
        '/pod/program.mjs',
        '/usr',
        '/usr/local/bin',
        '/etc',
        '/dev',
        '/dev/shm',
        '/opt/heurist',
        '/opt/heurist/node',
        '/proc',
        '/proc/sys/kernel/core_pattern',
        '/proc/sysrq-trigger',
      ]
      const node = `import fs from 'node:fs'
      for (const place of ${JSON.stringify(places)}) for (const path of [place, place + '/x']) { try { fs.writeFileSync(path, 'x'); console.log('wrote', path) } catch {} }
      fs.writeFileSync('/tmp/x', 'x'); console.log('tmp')`
      expect((await runScript(sandbox, { node })).stdout).toBe('tmp\n')
    })

    test('error: files and processes of another pod', async () => {
      const victim = await startScript(
        sandbox,
        { node: "import fs from 'node:fs'; fs.writeFileSync('/tmp/mine', 'mine'); console.log('up'); setInterval(() => {}, 1e6)" },
        { environment: { TOKEN: 'other-pods-token' } },
      )
      await new Promise(resolve => victim.stdout.once('data', resolve))
      const { stdout } = await runScript(sandbox, {
        sh: 'ls -A /tmp; cat /proc/[0-9]*/environ | tr "\\0" "\\n" | grep TOKEN; ls -d /proc/[0-9]* | wc -l; kill -9 -1 2>/dev/null; echo sent',
      })
      const [count, ...rest] = stdout.trim().split('\n')
      // What it sees: bubblewrap's own first process, and its own.
      expect(Number(count)).toBeLessThan(10)
      expect(rest).toEqual(expect.not.arrayContaining(['TOKEN=other-pods-token', 'mine']))
      const isAlive = await Promise.race([victim.exited.then(() => false), new Promise(resolve => setImmediate(() => resolve(true)))])
      expect(isAlive).toBe(true)
      victim.kill()
      expect((await victim.exited).wasKilled).toBe(true)
    })

    test('error: signals to processes of the host', async () => {
      const victim: ChildProcess = spawn('sleep', ['600'])
      const pids = [victim.pid, process.pid, process.ppid]
      const { stdout } = await runScript(sandbox, { perl: `for my $pid (${pids.join(',')}) { print kill(9, $pid) }` })
      expect(stdout).toBe('000')
      expect(victim.exitCode ?? victim.signalCode).toBeNull()
      victim.kill('SIGKILL')
    })

    describe('network', () => {
      const reached: string[] = []
      const servers: Server[] = []
      const abstract = `\0heurist-escape-${process.pid}`
      const udp = createSocket('udp4').on('message', () => reached.push('udp'))
      let port = 0
      beforeAll(async () => {
        for (const [name, address] of [
          ['tcp', { port: 0, host: '127.0.0.1' }],
          ['abstract', { path: abstract }],
          ['path', { path: join(home, 's') }],
        ] as const) {
          const server = createServer(socket => {
            reached.push(name)
            socket.on('error', () => {}).destroy()
          })
          await new Promise<void>(resolve => server.listen(address, resolve))
          servers.push(server)
          const bound = server.address()
          if (bound && typeof bound === 'object') port = bound.port
        }
        await new Promise<void>(resolve => udp.bind(port, '127.0.0.1', resolve))
      })
      afterAll(() => {
        for (const server of servers) server.close()
        udp.close()
      })
      const node = () => `import net from 'node:net'; import dgram from 'node:dgram'; import os from 'node:os'
      const tried = options => new Promise(resolve => { const s = net.connect(options, () => { console.log('connected', JSON.stringify(options)); s.destroy(); resolve() }).on('error', resolve) })
      await tried({ port: ${port}, host: '127.0.0.1' }); await tried({ port: 80, host: '169.254.169.254' }); await tried({ port: 53, host: '8.8.8.8' })
      await tried({ path: ${JSON.stringify(abstract)} }); await tried({ path: ${JSON.stringify(join(home, 's'))} })
      const u = dgram.createSocket('udp4'); await new Promise(resolve => u.send('x', ${port}, '127.0.0.1', resolve)); u.close()
      console.log(Object.keys(os.networkInterfaces()).join() || 'none', 'end')`

      test('error: TCP, UDP, unix and abstract sockets, metadata address', async () => {
        const { stdout } = await runScript(sandbox, { node: node() })
        expect(stdout.trim()).toMatch(/^(none|lo) end$/)
        expect(reached).toEqual([])
      })

      test('behavior: the same program reaches the host when its owner granted the network', async () => {
        const { stdout } = await runScript(
          sandbox,
          { node: node().replace(/ await tried\(\{ port: (80|53)[^)]*\);?/g, '') },
          { hasNetwork: true },
        )
        await vi.waitFor(() => expect(reached).toEqual(expect.arrayContaining(['tcp', 'udp'])), { timeout: 30_000 })
        expect(reached).not.toContain('path')
        expect(stdout).toContain('connected {"port"')
      })
    })

    describe('its own socket', () => {
      const LISTEN = `import net from 'node:net'; import fs from 'node:fs'; const path = process.env.HEURIST_SOCKET
      net.createServer(s => s.end('mine')).listen(path, () => console.log(path))`
      const started = async (node: string): Promise<{ program: SandboxProcess; path: string }> => {
        const program = await startScript(sandbox, { node }, { hasSocket: true })
        const path = await new Promise<string>(resolve => program.stdout.once('data', bytes => resolve(String(bytes).trim())))
        return { program, path }
      }
      const said = async (program: SandboxProcess): Promise<string> =>
        (await program.connect()).setEncoding('utf8').reduce((all, piece) => all + piece, '')

      test('default: the node reaches it, the host has no such path, and it is gone with its program', async () => {
        const { program, path } = await started(LISTEN)
        expect(await said(program)).toBe('mine')
        expect(existsSync(path)).toBe(false)
        program.kill()
        await program.exited
        await expect(program.connect()).rejects.toMatchObject({ code: 'SANDBOX_NO_SOCKET' })
      })

      test('error: another pod tries to reach it, by its path and through every process that it sees', async () => {
        const { program, path } = await started(LISTEN)
        const node = `import net from 'node:net'; import fs from 'node:fs'
        const path = ${JSON.stringify(path)}
        const tried = path => new Promise(resolve => { const s = net.connect({ path }, () => { console.log('connected', path); s.destroy(); resolve() }).on('error', resolve) })
        await tried(path); await tried('\\0' + path)
        for (const pid of fs.readdirSync('/proc').filter(name => /^[0-9]+$/.test(name))) await tried('/proc/' + pid + '/root' + path)
        for (const name of fs.readdirSync('/run').filter(name => name !== '.containerenv')) console.log(name === process.env.HEURIST_SOCKET.split('/')[2] ? 'own' : name)`
        const { stdout } = await runScript(sandbox, { node }, { hasSocket: true })
        expect(stdout).toBe('own\n')
        expect(await said(program)).toBe('mine')
        program.kill()
      })

      test('error: a link, a file and a folder in its place are not followed', async () => {
        const reached: string[] = []
        const path = join(home, 'victim')
        const victim = createServer(socket => {
          reached.push('reached')
          socket.destroy()
        })
        await new Promise<void>(resolve => victim.listen(path, resolve))
        const places = [
          `fs.symlinkSync(${JSON.stringify(path)}, path)`,
          `fs.symlinkSync('/proc/1/root${path}', path)`,
          `fs.writeFileSync(path, '')`,
          `fs.mkdirSync(path)`,
        ]
        for (const place of places) {
          const { program } = await started(
            `import fs from 'node:fs'; const path = process.env.HEURIST_SOCKET; ${place}; console.log(path); setInterval(() => {}, 1e6)`,
          )
          await expect(program.connect(), place).rejects.toMatchObject({
            code: 'SANDBOX_NO_SOCKET',
            message: expect.stringContaining('no socket'),
          })
          program.kill()
        }
        expect(reached).toEqual([])
        victim.close()
      })

      test('error: filling the folder of it', async () => {
        const node = `import fs from 'node:fs'; const folder = process.env.HEURIST_SOCKET.replace('/http.sock', ''); let bytes = 0
        for (let i = 0; i < 64; i++) { try { fs.writeFileSync(folder + '/' + i, Buffer.alloc(4096)); bytes += 4096 } catch (e) { console.log(bytes, e.code); break } }
        try { fs.renameSync(folder, '/tmp/moved') } catch (e) { console.log('kept') }`
        expect((await runScript(sandbox, { node }, { hasSocket: true })).stdout).toBe('65536 ENOSPC\nkept\n')
      })
    })

    test('error: each call that the filter denies, made for real', async () => {
      const calls = Object.entries(DENIED).flatMap(([name, pair]) => (pair[COLUMN] === null ? [] : [[name, pair[COLUMN]] as const]))
      const perl = `for my $c (${calls.map(([name, number]) => `['${name}',${number}]`).join(',')}) { $! = 0; my $r = syscall($c->[1], 0, 0, 0, 0, 0, 0); print "$c->[0] $r ", $!+0, "\\n" }`
      const { stdout } = await runScript(sandbox, { perl })
      expect(stdout.trim().split('\n')).toEqual(calls.map(([name]) => `${name} -1 ${EPERM}`))
    })

    test('error: new namespaces by clone, clone3, unshare and mount; other families of sockets', async () => {
      const perl = `my $flags = 0x10000000 | 17; print syscall(${CLONE[COLUMN]}, $flags, 0, 0, 0, 0), ' ', $!+0, "\\n"; print syscall(${CLONE3[COLUMN]}, 0, 0), ' ', $!+0, "\\n";
      for my $f (38, 40, 17) { print syscall(${SOCKET[COLUMN]}, $f, 3, 0), ' ', $!+0, "\\n" }
      print system('unshare -Ur true 2>/dev/null') ? "no\\n" : "yes\\n"; print system('mount -t tmpfs none /tmp 2>/dev/null') ? "no\\n" : "yes\\n"`
      expect((await runScript(sandbox, { perl })).stdout.trim().split('\n')).toEqual([
        '-1 1',
        '-1 38',
        '-1 97',
        '-1 97',
        '-1 97',
        'no',
        'no',
      ])
    })

    test('error: a fork bomb', async () => {
      const perl = `my $n = 0; while (1) { my $p = fork(); last unless defined $p; if (!$p) { $0 = 'heurist-fork-bomb'; 1 while fork() || 1; } $n++ } $| = 1; print "$n\\n"; sleep 600`
      const program = await startScript(sandbox, { perl }, { limits: { ...LIMITS, processes: 32 } })
      const [said] = await Promise.race([program.stdout.setEncoding('utf8').take(1).toArray(), program.exited.then(() => [''])])
      expect(Number(said)).toBeLessThan(32)
      expect(processesWith('heurist-fork-bomb').length).toBeLessThanOrEqual(32)
      program.kill()
      await gone('heurist-fork-bomb')
    })

    test('error: a memory bomb', async () => {
      const node = `const all = []; for (;;) { all.push(Buffer.alloc(8 * 2 ** 20, 1)); process.stdout.write(all.length * 8 + '\\n') }`
      const { stdout, code } = await runScript(sandbox, { node }, { limits: { ...LIMITS, memoryBytes: 128 * 2 ** 20 } })
      expect(code).not.toBe(0)
      const taken = Number(stdout.trim().split('\n').at(-1))
      expect(taken).toBeGreaterThan(0)
      expect(taken).toBeLessThan(sandbox.description.includes('no control groups') ? 128 + 640 : 128)
    })

    test('error: filling its /tmp', async () => {
      const node = `import fs from 'node:fs'; let bytes = 0; const piece = Buffer.alloc(2 ** 20)
      for (let i = 0; i < 64; i++) { try { fs.writeFileSync('/tmp/' + i, piece); bytes += piece.length } catch (e) { console.log(bytes, e.code); break } }`
      const { stdout } = await runScript(sandbox, { node })
      const [bytes, error] = stdout.trim().split(' ')
      expect(error).toBe('ENOSPC')
      expect(Number(bytes)).toBeLessThanOrEqual(LIMITS.tmpBytes)
    })

    test('error: too many open files', async () => {
      const node = `import fs from 'node:fs'; let n = 0; try { for (;;) { fs.openSync('/dev/null'); n++ } } catch (e) { console.log(n < 256, e.code) }`
      expect((await runScript(sandbox, { node })).stdout).toBe('true EMFILE\n')
    })

    test('error: burning CPU', async () => {
      const { code, wasKilled } = await runScript(sandbox, { sh: 'while :; do :; done' }, { limits: { ...LIMITS, cpuSeconds: 1 } })
      expect({ code, wasKilled }).toEqual({ code: 128 + 9, wasKilled: false })
    })

    const daemon = (marker: string) =>
      `use POSIX qw(setsid); $SIG{TERM}=$SIG{HUP}=$SIG{INT}='IGNORE'; if (!fork()) { setsid(); if (!fork()) { $0='${marker}'; close STDOUT; close STDERR; sleep 600 } exit }`

    test('error: outliving its lease: double fork, own session, deaf to signals', async () => {
      const marker = `heurist-lease-${process.pid}`
      const lease = new AbortController()
      const program = await startScript(sandbox, { perl: `${daemon(marker)} $0='${marker}'; sleep 600` }, { signal: lease.signal })
      await vi.waitFor(() => expect(processesWith(marker).length).toBeGreaterThan(1), { timeout: 30_000 })
      lease.abort()
      expect(await program.exited).toMatchObject({ wasKilled: true })
      await gone(marker)
    })

    test('error: outliving its own end', async () => {
      const marker = `heurist-orphan-${process.pid}`
      expect((await runScript(sandbox, { perl: `${daemon(marker)} print "over"` })).stdout).toBe('over')
      await gone(marker)
    })

    test('error: outliving its node, killed with kill -9', async () => {
      const marker = `heurist-node-${process.pid}`
      const node = spawn(process.execPath, [join(import.meta.dirname, 'testing/holder.ts'), marker, kind], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await new Promise(resolve => node.stdout.once('data', resolve))
      await vi.waitFor(() => expect(processesWith(`\0${marker}`).length + processesWith(marker).length).toBeGreaterThan(1), {
        timeout: 30_000,
      })
      node.kill('SIGKILL')
      await gone(marker)
    })

    test('error: flooding its output fills a pipe and not the node', async () => {
      const node = `import fs from 'node:fs'; const piece = Buffer.alloc(65536, 65); for (let i = 0; i < 1600; i++) fs.writeSync(1, piece); console.error('all written')`
      const program = await startScript(sandbox, { node })
      let complaint = ''
      program.stderr.on('data', bytes => {
        complaint += bytes
      })
      program.stdout.pause()
      program.stdout.read(0)
      await vi.waitFor(() => expect(program.stdout.readableLength).toBeGreaterThan(0), { timeout: 30_000 })
      expect(program.stdout.readableLength).toBeLessThan(2 ** 20)
      expect(complaint).toBe('')
      program.kill()
      expect((await program.exited).wasKilled).toBe(true)
    })

    test('error: file descriptors and the environment of the node', async () => {
      const fd = openSync(key, 'r')
      const { stdout } = await runScript(
        sandbox,
        {
          perl: 'opendir(my $d, "/proc/self/fd"); print join(",", sort grep { !/^\\./ && readlink("/proc/self/fd/$_") !~ m{/fd$|program} } readdir $d), "\\n"; print join(",", sort keys %ENV)',
        },
        { environment: { GIVEN: 'yes' } },
      )
      closeSync(fd)
      const [fds, names] = stdout.split('\n')
      expect(fds).toBe('0,1,2')
      expect(names?.split(',').filter(name => !['PWD', 'OLDPWD', 'SHLVL', '_', ...variables].includes(name))).toEqual([
        'GIVEN',
        'HOME',
        'LANG',
        'PATH',
      ])
    })

    test('error: its secrets do not show in the arguments of any process', async () => {
      const program = await startScript(sandbox, { sh: 'echo up; sleep 600' }, { environment: { TOKEN: 'token-in-arguments' } })
      await new Promise(resolve => program.stdout.once('data', resolve))
      expect(processesWith('token-in-arguments')).toEqual([])
      program.kill()
      await program.exited
    })

    test('error: paths and texts that would be read as something else', async () => {
      const start = (spec: object) =>
        sandbox.start(
          {
            argv: ['true'],
            image: null,
            files: [],
            environment: {},
            hasNetwork: false,
            hasSocket: false,
            device: NO_DEVICE,
            limits: LIMITS,
            ...spec,
          },
          AbortSignal.timeout(60_000),
        )
      await expect(start({ argv: [] })).rejects.toMatchObject({ code: 'SANDBOX_BAD_PROGRAM' })
      await expect(start({ argv: ['a\0b'] })).rejects.toMatchObject({ code: 'SANDBOX_BAD_PROGRAM' })
      await expect(start({ environment: { A: 'x\0--bind\0/\0/host' } })).rejects.toMatchObject({ code: 'SANDBOX_BAD_PROGRAM' })
      for (const to of ['/etc/passwd', '/pod/..', '/pod/a/../../etc/x', 'relative'])
        await expect(start({ files: [{ from: key, to }] }), to).rejects.toMatchObject({ code: 'SANDBOX_BAD_PROGRAM' })
      await expect(start({ files: [{ from: join(home, 'missing'), to: '/pod/x' }] })).rejects.toMatchObject({ code: 'SANDBOX_BAD_PROGRAM' })
      const dashes = await start({ argv: ['/bin/echo', '--bind', '/', '/host'] })
      expect((await dashes.stdout.setEncoding('utf8').toArray()).join('')).toBe('--bind / /host\n')
    })

    test.skipIf(!canBecomeNobody())(
      'behavior: the same for a node that is not root (skipped unless run as root from a folder that others may read)',
      () => {
        const script = `import { detectSandbox, requireSandbox } from '${join(import.meta.dirname, 'detect.ts')}'
      const sandbox = requireSandbox(await detectSandbox())
      const spec = { argv: ['/bin/sh', '-c', 'cat ${key} /etc/shadow; id -u; grep -E "CapBnd|Seccomp:" /proc/self/status'], image: null, files: [], environment: {}, hasNetwork: false, hasSocket: false, device: ${JSON.stringify(NO_DEVICE)}, limits: ${JSON.stringify(LIMITS)} }
      const program = await sandbox.start(spec, AbortSignal.timeout(60000)); program.stderr.resume(); console.log((await program.stdout.setEncoding('utf8').toArray()).join(''))
      const serve = "require('net').createServer(s => s.end('served')).listen(process.env.HEURIST_SOCKET, () => console.log('up'))"
      const server = await sandbox.start({ ...spec, argv: ['node', '-e', serve], hasSocket: true }, AbortSignal.timeout(60000))
      await new Promise(resolve => server.stdout.once('data', resolve))
      console.log((await (await server.connect()).setEncoding('utf8').toArray()).join('')); server.kill()`
        const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
          uid: 65_534,
          gid: 65_534,
          encoding: 'utf8',
          cwd: '/',
        })
        expect(said).toMatch(/^65534\nCapBnd:\t0000000000000000\nSeccomp:\t2\n\nserved\n$/)
      },
    )
  })
}

describe('detectSandbox', () => {
  test('error: without bubblewrap it says how to get it', async () => {
    const missing = await detectSandbox('/nowhere/bwrap')
    expect(missing.problem).toContain('apt-get install bubblewrap')
    expect(() => requireSandbox(missing)).toThrow(expect.objectContaining({ code: 'SANDBOX_UNAVAILABLE' }))
  })

  test('error: a bubblewrap that the kernel does not let work', async () => {
    const broken = join(mkdtempSync(join(tmpdir(), 'heurist-bwrap-')), 'bwrap')
    writeFileSync(
      broken,
      '#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 9.9 || { echo "bwrap: No permissions to create new namespace" >&2; exit 1; }',
      { mode: 0o755 },
    )
    const { problem } = await detectSandbox(broken)
    expect(problem).toMatch(/No permissions to create new namespace.*user namespaces/)
  })
})
