import { describeEngine } from '../conformance.ts'
import { deps, specOf } from '../testing/spec.ts'
import { createUseLiteEngine } from './use-lite.ts'

const engine = createUseLiteEngine(deps)
const NO_TEXT = 'an encoder writes no text'
const long = {
  kind: 'embedding' as const,
  body: { input: Array.from({ length: 400 }, (_, i) => `Sentence number ${i} of a long list of sentences.`) },
}

describeEngine({
  name: 'use-lite',
  load: () => engine.load(specOf({ engine: 'use-lite', modelId: 'use-lite' })),
  long,
  skip: {
    streams: NO_TEXT,
    seed: NO_TEXT,
    'max tokens': NO_TEXT,
    stop: NO_TEXT,
    choices: NO_TEXT,
    completion: NO_TEXT,
    'back-pressure': NO_TEXT,
    isolation: NO_TEXT,
  },
})
