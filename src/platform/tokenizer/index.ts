/** Tokenizers without a model runtime: read from GGUF files or from blobs that travel by their sha256. */
export { type BlobErrorCode, loadTokenizer, tokenizerBlob, tokenizerFromBlob, unigramBlob } from './blob.ts'
export { type ChatRenderer, type ChatTemplateErrorCode, createChatRenderer } from './chat.ts'
export { type GgufErrorCode, type GgufMetadata, type GgufValue, parseGguf, readGguf } from './gguf.ts'
export { createGgufTokenizer, withBos } from './gguf-tokenizer.ts'
export { checkWeights } from './gguf-weights.ts'
export type { Tokenizer } from './port.ts'
export { createUnigramTokenizer, type UnigramErrorCode, type UnigramVocabulary } from './unigram.ts'
export { BYTE_TO_CHAR, type GgufVocabulary, tokenBytes, vocabularyOf } from './vocabulary.ts'
