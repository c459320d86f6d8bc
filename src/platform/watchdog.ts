import { type ChildProcess, spawn } from 'node:child_process'

/**
 * Ends child processes when this process dies, also by kill -9: a tiny detached shell learns their ids over its standard
 * input, and the end of that input is the one sign of our death that nobody can suppress.
 */
export type Watchdog = {
  /** Process id of the watcher; it is replaced when it is killed. */
  readonly pid: number | undefined
  /** From now on `pid` does not outlive this process. `signal` asks it to end; SIGKILL follows after the grace. */
  watch(pid: number, signal?: 'SIGINT' | 'SIGTERM'): void
  /** `pid` has ended (or is let go): its number may be reused by a stranger. */
  unwatch(pid: number): void
  /** Ends the watchdog. What is still watched is ended too. */
  stop(): Promise<void>
}

// A shell and not a second Node: 1 MB instead of 45, and it is up before the child that it guards.
const SHELL_SCRIPT = `
trap '' INT HUP
pids=''
while read -r verb pid signal; do
  rest=''
  for entry in $pids; do [ "\${entry%:*}" = "$pid" ] || rest="$rest $entry"; done
  pids=$rest
  [ "$verb" = watch ] && pids="$pids $pid:$signal"
done
[ -z "$pids" ] && exit 0
for entry in $pids; do kill -"\${entry#*:}" "\${entry%:*}" 2>/dev/null; done
tick=0
while [ $tick -lt "$GRACE_TICKS" ]; do
  alive=''
  for entry in $pids; do kill -0 "\${entry%:*}" 2>/dev/null && alive="$alive $entry"; done
  [ -z "$alive" ] && exit 0
  sleep 0.1
  tick=$((tick + 1))
done
for entry in $alive; do kill -KILL "\${entry%:*}" 2>/dev/null; done
`

// Windows has no signals: there the end is always abrupt, and PostgreSQL and the dev chain recover from it.
const NODE_SCRIPT = `
const pids = new Set()
require('node:readline').createInterface({ input: process.stdin }).on('line', line => {
  const [verb, pid] = line.split(' ')
  verb === 'watch' ? pids.add(Number(pid)) : pids.delete(Number(pid))
}).on('close', () => { for (const pid of pids) try { process.kill(pid, 'SIGKILL') } catch {} process.exit(0) })
`

function spawnWatcher(graceMs: number): ChildProcess {
  const [command, args] = process.platform === 'win32' ? [process.execPath, ['-e', NODE_SCRIPT]] : ['/bin/sh', ['-c', SHELL_SCRIPT]]
  const child = spawn(command, args, {
    // Its own session: Ctrl-C in the terminal must not reach it before us.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', GRACE_TICKS: String(Math.ceil(graceMs / 100)) },
  })
  child.unref()
  child.on('error', () => undefined)
  child.stdin?.on('error', () => undefined) // A dead watcher is replaced in its exit handler.
  if (child.stdin && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref()
  return child
}

/**
 * @param options.graceMs Time between the request to end and SIGKILL, in ms (default 8,000).
 */
export function startWatchdog(options: { graceMs?: number } = {}): Watchdog {
  const watched = new Map<number, string>()
  let stopped = false
  let child: ChildProcess

  const start = (): void => {
    child = spawnWatcher(options.graceMs ?? 8_000)
    child.once('exit', () => {
      if (!stopped) start()
    })
    for (const [pid, signal] of watched) child.stdin?.write(`watch ${pid} ${signal}\n`)
  }
  start()

  return {
    get pid() {
      return child.pid
    },
    watch(pid, signal = 'SIGTERM') {
      watched.set(pid, signal.slice(3))
      child.stdin?.write(`watch ${pid} ${signal.slice(3)}\n`)
    },
    unwatch(pid) {
      if (watched.delete(pid)) child.stdin?.write(`unwatch ${pid} -\n`)
    },
    stop() {
      if (stopped) return Promise.resolve()
      stopped = true
      return new Promise(resolve => {
        if (child.exitCode !== null || child.pid === undefined) return resolve()
        child.once('exit', () => resolve())
        child.ref()
        child.stdin?.end()
      })
    },
  }
}
