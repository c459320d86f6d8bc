import type { FastifyReply } from 'fastify'
import type { Clock } from '#platform'
import type { ChunkFormat } from './answer.ts'
import type { JobListener, RunningJob } from './job.ts'
import { createSseStream } from './sse.ts'
import { STREAM_HEADERS, takeOver } from './take-over.ts'

export type StreamSessionOptions = {
  /** Silence after which a comment line is sent, in ms. */
  readonly keepAliveMs: number
  readonly clock: Clock
  readonly onFirstToken: () => void
}

/** One streamed answer: turns deltas into events, keeps the connection alive while a pod loads. */
export type StreamSession = {
  readonly listener: JobListener
  /** Last events; closes the stream. */
  end(text: string): void
  /** The same for an error event, if a status line has gone out already; else nothing, and the error is an ordinary answer. */
  failIfOpen(text: string): void
  /** Ends the keep-alive. */
  stop(): void
}

/**
 * The status line waits for the first output, so that "no node is free" is still a plain 503. Only after `keepAliveMs` of silence is the stream
 * opened with a comment, which clients skip.
 */
export function createStreamSession(
  reply: FastifyReply,
  running: RunningJob,
  chunks: ChunkFormat,
  options: StreamSessionOptions,
): StreamSession {
  const { clock, keepAliveMs, onFirstToken } = options
  let nodeId = ''
  let lastOutputAtMs = clock.now()
  let waitingFor = 'waiting for a node'
  let hasOutput = false

  const headers = () =>
    takeOver(reply, { ...STREAM_HEADERS, 'x-heurist-job-id': running.jobId, ...(nodeId !== '' && { 'x-heurist-node-id': nodeId }) })
  const stream = createSseStream(reply.raw, { headers, onTaken: tokens => running.control.grant(tokens) })

  function keepAlive(): void {
    const silentMs = clock.now() - lastOutputAtMs
    if (silentMs >= keepAliveMs) {
      stream.comment(waitingFor)
      lastOutputAtMs = clock.now()
    }
    stopTimer = clock.after(Math.max(1, keepAliveMs - (clock.now() - lastOutputAtMs)), keepAlive)
  }
  let stopTimer = clock.after(keepAliveMs, keepAlive)

  return {
    listener: {
      leased(lease) {
        nodeId = lease.nodeId
        waitingFor = 'waiting for the first token'
      },
      loading() {
        waitingFor = 'the model is loading'
      },
      delta(delta) {
        lastOutputAtMs = clock.now()
        if (!hasOutput) {
          hasOutput = true
          onFirstToken()
        }
        stream.push(chunks.piece(delta), delta.tokens)
      },
    },
    end: text => stream.end(text),
    failIfOpen(text) {
      if (stream.isOpen) stream.end(text)
    },
    stop: () => stopTimer(),
  }
}
