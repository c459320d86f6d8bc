import { z } from 'zod'
import { addressSchema, type NodeId } from './ids.ts'

/** Most lines, and most characters of all of them, in one node's answer: a log is read in turns and never fills a link. */
export const MAX_LOG_LINES = 200
export const MAX_LOG_CHARACTERS = 32 * 1024
export const MAX_LOG_LINE_CHARACTERS = 4096

const logLineSchema = z.object({ atMs: z.number().int().nonnegative(), text: z.string().max(MAX_LOG_LINE_CHARACTERS) })
export const logLinesSchema = z.array(logLineSchema).max(MAX_LOG_LINES)
/** A line that a pod's program wrote to stderr, by the clock of its node. Within one pod on one node no two have the same time. */
export type LogLine = z.output<typeof logLineSchema>

export const nodeLogSchema = z.object({ nodeId: addressSchema, lines: logLinesSchema })
export type NodeLog = { readonly nodeId: NodeId; readonly lines: readonly LogLine[] }
