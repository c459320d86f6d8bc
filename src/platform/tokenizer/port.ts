/**
 * Counts units of a pod. `null` results mean "not known", never zero: a caller then falls back to counting frames.
 */
export type Tokenizer = {
  /** Tokens of plain text, without special tokens added. */
  encode(text: string): number[]
  decode(ids: readonly number[]): string
  /** Tokens of a chat after the pod's template is applied, generation prompt included. */
  countChat(messages: readonly unknown[], tools?: readonly unknown[]): number
  readonly vocabularySize: number
}
