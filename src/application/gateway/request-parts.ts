import type { FastifyRequest } from 'fastify'
import { traceparentSchema } from '#protocol'
import type { JsonObject } from './json.ts'

/** `heurist` is for us; everything else passes on as it came. */
export function withoutPreferences(body: JsonObject): JsonObject {
  if (!('heurist' in body)) return body
  const { heurist: _ours, ...rest } = body
  return rest
}

/** W3C trace context; one that is not valid counts as none, as the standard says. */
export function traceparentIn({ headers: { traceparent } }: FastifyRequest): string | undefined {
  return traceparent === undefined ? undefined : traceparentSchema.safeParse(traceparent).data
}
