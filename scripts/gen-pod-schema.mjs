import { z } from 'zod'
import { podManifestSchema } from '../src/protocol/pod.ts'

/** Prices are text or whole numbers; zod has no JSON form of a bigint. */
function override({ zodSchema, jsonSchema }) {
  if (zodSchema._zod.def.type === 'bigint') Object.assign(jsonSchema, { type: 'integer', minimum: 0 })
}

/** docs/reference/pod.schema.json: what an editor checks a pod manifest with, from the schema that the network checks it with. */
export async function generatePodSchema() {
  const schema = z.toJSONSchema(podManifestSchema, { io: 'input', unrepresentable: 'any', override })
  const named = { ...schema, $id: 'pod.schema.json', title: 'Heurist pod manifest (heurist/v1)' }
  return new Map([['docs/reference/pod.schema.json', `${JSON.stringify(named, null, 2)}\n`]])
}
