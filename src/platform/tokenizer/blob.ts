import { readFile } from 'node:fs/promises'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { z } from 'zod'
import { HeuristError } from '#protocol'
import { readGguf } from './gguf.ts'
import { createGgufTokenizer } from './gguf-tokenizer.ts'
import type { Tokenizer } from './port.ts'
import { createUnigramTokenizer } from './unigram.ts'
import { vocabularyOf } from './vocabulary.ts'

/** `TOKENIZER_BLOB_MALFORMED`: bytes that are no tokenizer blob, or of a version that we do not read. */
export type BlobErrorCode = 'TOKENIZER_BLOB_MALFORMED'

/** Decompressed size of the largest vocabulary we know is 16 MB; more than this is an attack on the reader. */
const MAX_JSON_BYTES = 128 * 2 ** 20
const MAX_TOKENS = 1_000_000
/** A chat template is a program that runs in the router: a bound on its length is a bound on what it can say. */
const MAX_TEMPLATE_CHARS = 65_536

const finite = z.number()
const tokenId = z.number().int().nonnegative().nullable()
const blobSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    format: z.literal('heurist-tokenizer/1'),
    kind: z.literal('gguf'),
    vocabulary: z.strictObject({
      model: z.enum(['llama', 'gpt2']),
      pre: z.string().max(100),
      tokens: z.array(z.string()).min(1).max(MAX_TOKENS),
      scores: z.array(finite).max(MAX_TOKENS),
      types: z.array(z.number().int()).max(MAX_TOKENS),
      merges: z.array(z.string()).max(2 * MAX_TOKENS),
      bos: tokenId,
      eos: tokenId,
      addBos: z.boolean(),
      addSpacePrefix: z.boolean(),
      chatTemplate: z.string().max(MAX_TEMPLATE_CHARS).nullable(),
    }),
  }),
  z.strictObject({
    format: z.literal('heurist-tokenizer/1'),
    kind: z.literal('unigram'),
    vocabulary: z
      .array(z.tuple([z.string(), finite.nullable()]))
      .min(1)
      .max(MAX_TOKENS),
  }),
])
type Blob = z.output<typeof blobSchema>

function malformed(detail: string, cause?: unknown): never {
  throw new HeuristError<BlobErrorCode>(
    'TOKENIZER_BLOB_MALFORMED',
    `The tokenizer blob cannot be used: ${detail}. Publish the pod's tokenizer again.`,
    { cause },
  )
}

/** Brotli and not gzip: zlib's output differs between processors, and equal vocabularies must give equal bytes and one sha256. */
function pack(blob: Blob): Uint8Array {
  return brotliCompressSync(JSON.stringify(blob), { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
}

/** The tokenizer of a GGUF file as compact bytes; their sha256 names it in the pod's manifest. @throws HeuristError GGUF_MALFORMED */
export async function tokenizerBlob(ggufPath: string): Promise<Uint8Array> {
  return pack({ format: 'heurist-tokenizer/1', kind: 'gguf', vocabulary: copyOf(vocabularyOf(await readGguf(ggufPath))) })
}

/** The tokenizer of an encoder from its `vocab.json` (a list of [piece, score]). @throws HeuristError TOKENIZER_BLOB_MALFORMED */
export async function unigramBlob(vocabPath: string): Promise<Uint8Array> {
  return pack(checked({ format: 'heurist-tokenizer/1', kind: 'unigram', vocabulary: JSON.parse(await readFile(vocabPath, 'utf8')) }))
}

/** Builds a tokenizer from {@link tokenizerBlob} or {@link unigramBlob}. @throws HeuristError TOKENIZER_BLOB_MALFORMED, TOKENIZER_UNSUPPORTED */
export function tokenizerFromBlob(bytes: Uint8Array): Tokenizer {
  const blob = checked(parseJson(bytes))
  if (blob.kind === 'unigram') return createUnigramTokenizer(blob.vocabulary)
  const { tokens, types, scores, model } = blob.vocabulary
  if (types.length !== tokens.length || (model === 'llama' && scores.length !== tokens.length)) malformed('its lists differ in length')
  return createGgufTokenizer(blob.vocabulary)
}

/** Tokenizer of a model on this machine. @throws HeuristError GGUF_MALFORMED, TOKENIZER_UNSUPPORTED */
export async function loadTokenizer(source: { readonly ggufPath: string } | { readonly unigramPath: string }): Promise<Tokenizer> {
  if ('ggufPath' in source) return createGgufTokenizer(vocabularyOf(await readGguf(source.ggufPath)))
  const vocabulary: unknown = JSON.parse(await readFile(source.unigramPath, 'utf8'))
  const blob = checked({ format: 'heurist-tokenizer/1', kind: 'unigram', vocabulary })
  return blob.kind === 'unigram' ? createUnigramTokenizer(blob.vocabulary) : malformed('it is not a list of pieces')
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(brotliDecompressSync(bytes, { maxOutputLength: MAX_JSON_BYTES }).toString('utf8'))
  } catch (cause) {
    return malformed('it is not compressed JSON', cause)
  }
}

function checked(value: unknown): Blob {
  const result = blobSchema.safeParse(value)
  return result.success ? result.data : malformed(result.error.issues[0]?.message ?? 'it has a wrong shape', result.error)
}

type GgufBlob = Extract<Blob, { kind: 'gguf' }>['vocabulary']

function copyOf({ tokens, scores, types, merges, ...rest }: ReturnType<typeof vocabularyOf>): GgufBlob {
  return { ...rest, tokens: [...tokens], scores: [...scores], types: [...types], merges: [...merges] }
}
