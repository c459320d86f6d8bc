import { z } from 'zod'
import { jobPreferencesSchema } from '#protocol'

/** A job for a pod's program (docs/reference/command-protocol.md). `input` is any JSON and means what the program says. */
export const commandRequestSchema = z.looseObject({
  model: z.string().min(1).max(200),
  input: z.json(),
  max_output_bytes: z
    .int()
    .min(1)
    .max(64 * 2 ** 20)
    .nullish(),
  stream: z.boolean().nullish(),
  heurist: jobPreferencesSchema.nullish(),
})
export type CommandRequest = z.output<typeof commandRequestSchema>
