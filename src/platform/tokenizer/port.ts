/**
 * Counts units of a pod. A caller without a tokenizer falls back to counting frames; a count is never guessed here.
 * Everything is synchronous and pure: it stands on the gateway's hot path.
 */
export type Tokenizer = {
  /** Tokens of plain text, without special tokens added; control tokens written out in the text count as text. */
  encode(text: string): number[]
  /** Text of tokens; control tokens give nothing, incomplete UTF-8 gives U+FFFD. */
  decode(ids: readonly number[]): string
  /** Tokens of a raw completion prompt as an engine feeds it: special tokens recognised, BOS first where the model wants it. */
  encodePrompt(text: string): number[]
  /** Prompt that an engine feeds for a chat: the pod's template rendered, generation prompt included. @throws HeuristError TOKENIZER_TEMPLATE_FAILED */
  encodeChat(messages: readonly unknown[], tools?: readonly unknown[]): number[]
  /** Number of tokens of {@link encodeChat}. */
  countChat(messages: readonly unknown[], tools?: readonly unknown[]): number
  readonly vocabularySize: number
}
