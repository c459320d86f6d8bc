import { type ChoiceOutput, type Delta, type FinishReason, keccak256 } from '#protocol'

type ToolCall = { id: string; name: string; arguments: string }
type Choice = { text: string[]; toolCalls: ToolCall[]; embeddingHash?: `0x${string}` }
export type Finish = { readonly index: number; readonly reason: FinishReason }

/** The text as the wire carries it: UTF-8 has no lone surrogates, so both ends must hash what arrives, not what was meant. */
export function wireDelta(delta: Delta): Delta {
  return delta.text.isWellFormed() ? delta : { ...delta, text: delta.text.toWellFormed() }
}

/** What a lease has produced so far; the node hashes it and signs for it. */
export class OutputRecord {
  readonly #choices = new Map<number, Choice>()
  #tokens = 0
  #deltas = 0

  /** Generated tokens that the deltas carried. */
  get tokens(): number {
    return this.#tokens
  }

  get isEmpty(): boolean {
    return this.#deltas === 0
  }

  add(delta: Delta): void {
    const choice = this.#choice(delta.choice)
    this.#deltas += 1
    this.#tokens += delta.tokens
    if (delta.text !== '') choice.text.push(delta.text)
    for (const call of delta.toolCalls ?? []) {
      choice.toolCalls[call.index] ??= { id: '', name: '', arguments: '' }
      const known = choice.toolCalls[call.index]!
      if (call.id) known.id = call.id
      if (call.name) known.name = call.name
      known.arguments += call.arguments ?? ''
    }
    if (delta.embedding) {
      const { buffer, byteOffset, byteLength } = delta.embedding
      choice.embeddingHash = keccak256(new Uint8Array(buffer, byteOffset, byteLength))
    }
  }

  /** One reason per choice: the engine's, or `stop` for a choice that was cut off with its output kept. */
  finish(reasons: readonly Finish[]): Finish[] {
    const known = new Map(reasons.map(({ index, reason }) => [index, reason]))
    const indices = new Set([...known.keys(), ...this.#choices.keys()])
    return [...indices].sort((a, b) => a - b).map(index => ({ index, reason: known.get(index) ?? 'stop' }))
  }

  choices(finish: readonly Finish[]): ChoiceOutput[] {
    return finish.map(({ index, reason }) => {
      const choice = this.#choice(index)
      return {
        index,
        text: choice.text.join(''),
        toolCalls: choice.toolCalls.filter(call => call !== undefined),
        finishReason: reason,
        ...(choice.embeddingHash && { embeddingHash: choice.embeddingHash }),
      }
    })
  }

  #choice(index: number): Choice {
    let choice = this.#choices.get(index)
    if (!choice) {
      choice = { text: [], toolCalls: [] }
      this.#choices.set(index, choice)
    }
    return choice
  }
}
