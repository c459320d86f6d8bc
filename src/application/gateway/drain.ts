import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '#platform'
import type { JobRunner } from './job-runner.ts'

/** How long cancelled jobs may take to write their outcomes, and answers to leave for slow clients, in ms. */
const LAST_WORDS_MS = 1_500
const LAST_BYTES_MS = 500

/** Resolves when `work` does, at the latest after `limitMs`. */
async function atMost(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>()
  const stopTimer = clock.after(limitMs, late.resolve)
  await Promise.race([work, late.promise])
  stopTimer()
}

/** Waits until no job runs, at most `drainMs`; then cancels what is left and waits for the outcomes. */
export async function drain(runner: JobRunner, clock: Clock, drainMs: number): Promise<void> {
  const ends = () => Promise.allSettled([...runner.running].map(job => job.finished))
  await atMost(clock, drainMs, ends())
  for (const job of runner.running) job.control.cancel('the gateway is stopping')
  await atMost(clock, LAST_WORDS_MS, ends())
}

const socketsOf = new WeakMap<FastifyInstance, Set<Socket>>()

/** Remembers the server's connections, upgraded ones too, so that {@link closeServer} can end them. */
export function followConnections(app: FastifyInstance): void {
  const sockets = new Set<Socket>()
  socketsOf.set(app, sockets)
  app.server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
}

/** Closes the listener and every connection: a client that does not read, or never speaks, does not hold up the end. */
export async function closeServer(app: FastifyInstance, clock: Clock): Promise<void> {
  const closed = app.close()
  await atMost(clock, LAST_BYTES_MS, closed)
  for (const socket of socketsOf.get(app) ?? []) socket.destroy()
  await closed
}
