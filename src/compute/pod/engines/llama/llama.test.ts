import { describeEngine } from '../conformance.ts'
import { deps, specOf, TINY_MODEL } from '../testing/spec.ts'
import { createLlamaEngine } from './llama.ts'

const engine = createLlamaEngine({ threads: 1 }, deps)
const spec = () => specOf({ engine: 'llama', modelId: 'heurist-tiny', modelPath: TINY_MODEL })

describeEngine({
  name: 'llama',
  load: () => engine.load(spec()),
  long: { kind: 'chat', body: { messages: [{ role: 'user', content: 'Tell me a story.' }], n: 16, temperature: 2, seed: 1 } },
  skip: { embedding: 'a language model makes no embeddings; the refusal is tested under bad request' },
})
