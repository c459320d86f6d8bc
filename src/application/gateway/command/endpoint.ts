import type { Endpoint } from '../endpoint.ts'
import { commandBounds } from '../units.ts'
import { commandAnswer, commandChunks } from './answer.ts'
import { type CommandRequest, commandRequestSchema } from './request.ts'

/** `POST /v1/jobs`: one job of a program that runs as a pod. Quoted, held, routed, metered and settled as every other job. */
export const COMMAND: Endpoint<CommandRequest> = {
  path: '/jobs',
  kind: 'command',
  schema: commandRequestSchema,
  idPrefix: 'job_',
  bounds: commandBounds,
  answer: commandAnswer,
  chunks: commandChunks,
}
