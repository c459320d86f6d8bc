import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../src/platform/free-port.ts'
import type { Target } from './load.ts'
import { answers } from './processes.ts'

/** A reverse proxy of the system's, in front of the upstream: measured where it is installed. One worker, like ours. */
type Peer = {
  readonly name: string
  readonly binary: string
  readonly config: (port: number, upstream: number, folder: string) => string
  readonly args: (file: string) => readonly string[]
}

const NGINX: Peer = {
  name: 'nginx',
  binary: 'nginx',
  config: (port, upstream, folder) => `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log crit;
events { worker_connections 8192; }
http {
  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  upstream up { server 127.0.0.1:${upstream}; keepalive 4096; }
  server {
    listen 127.0.0.1:${port}; keepalive_requests 100000000;
    location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
  }
}
`,
  args: file => ['-c', file],
}

const HAPROXY: Peer = {
  name: 'haproxy',
  binary: 'haproxy',
  config: (port, upstream) => `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  option http-no-delay
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend in
  bind 127.0.0.1:${port}
  default_backend up
backend up
  http-reuse always
  server one 127.0.0.1:${upstream}
`,
  args: file => ['-f', file],
}

function isInstalled({ binary }: Peer): boolean {
  return spawnSync(binary, ['-v'], { stdio: 'ignore' }).status === 0
}

/** The process and its workers: the master of nginx does nothing itself. */
function family(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return [pid, ...(children === '' ? [] : children.split(' ').map(Number))]
}

async function start(peer: Peer, upstream: number): Promise<{ target: Target; child: ChildProcess; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), `heurist-bench-${peer.name}-`))
  const port = await freePort()
  const file = join(folder, 'peer.conf')
  writeFileSync(file, peer.config(port, upstream, folder))
  const child = spawn(peer.binary, [...peer.args(file)], { stdio: 'ignore' })
  await answers(port)
  const target = { name: peer.name, url: `http://127.0.0.1:${port}/v1`, model: 'bench', headers: [{}], pids: () => family(child.pid ?? 0) }
  return { target, child, folder }
}

export type Peers = {
  readonly targets: readonly Target[]
  readonly children: readonly ChildProcess[]
  readonly missing: readonly string[]
  /** Removes their configurations; the processes are ended by whoever started them. */
  clean(): void
}

/** Those that are installed, running; and the names of those that are not. */
export async function startPeers(upstream: number): Promise<Peers> {
  const started: Awaited<ReturnType<typeof start>>[] = []
  const missing: string[] = []
  for (const peer of [NGINX, HAPROXY]) {
    if (isInstalled(peer)) started.push(await start(peer, upstream))
    else missing.push(peer.name)
  }
  return {
    targets: started.map(({ target }) => target),
    children: started.map(({ child }) => child),
    missing,
    clean: () => started.forEach(({ folder }) => void rmSync(folder, { recursive: true, force: true })),
  }
}
