import { createBpeEncoder } from './bpe.ts'
import { createChatRenderer } from './chat.ts'
import type { Tokenizer } from './port.ts'
import { createSpmEncoder } from './spm.ts'
import { type GgufVocabulary, TOKEN_TYPE, tokenBytes } from './vocabulary.ts'

type Fragment = string | number

/** Tokens that are looked for in the text before anything else, longest first as llama.cpp has it. */
function specialTokens(vocabulary: GgufVocabulary, parseControl: boolean): { id: number; text: string }[] {
  const special: { id: number; text: string }[] = []
  for (const [id, type] of vocabulary.types.entries()) {
    const control = type === TOKEN_TYPE.control || type === TOKEN_TYPE.unknown
    const text = vocabulary.tokens[id] ?? ''
    if ((type === TOKEN_TYPE.userDefined || (control && parseControl)) && text !== '') special.push({ id, text })
  }
  return special.sort((a, b) => Buffer.byteLength(b.text) - Buffer.byteLength(a.text) || a.id - b.id)
}

function partition(text: string, special: readonly { id: number; text: string }[]): Fragment[] {
  let fragments: Fragment[] = text === '' ? [] : [text]
  for (const { id, text: marker } of special) {
    if (!text.includes(marker)) continue
    fragments = fragments.flatMap(fragment => {
      if (typeof fragment === 'number') return fragment
      const parts = fragment.split(marker)
      return parts.flatMap((part, i) => (i === 0 ? [part] : [id, part])).filter(part => part !== '')
    })
  }
  return fragments
}

/** Tokenizer of a GGUF vocabulary; the ids are those of llama.cpp (a test compares them). @throws HeuristError TOKENIZER_UNSUPPORTED */
export function createGgufTokenizer(vocabulary: GgufVocabulary): Tokenizer {
  const encodePiece = vocabulary.model === 'llama' ? createSpmEncoder(vocabulary) : createBpeEncoder(vocabulary)
  const plainSpecial = specialTokens(vocabulary, false)
  const allSpecial = specialTokens(vocabulary, true)
  const pieces = tokenBytes(vocabulary)
  const textOfToken = (id: number | null): string => (id === null ? '' : (vocabulary.tokens[id] ?? ''))
  const render = createChatRenderer({
    template: vocabulary.chatTemplate,
    bosToken: textOfToken(vocabulary.bos),
    eosToken: textOfToken(vocabulary.eos),
  })
  const encodeWith = (text: string, special: readonly { id: number; text: string }[]): number[] => {
    const ids: number[] = []
    let afterSpecial = true
    for (const fragment of partition(text, special)) {
      if (typeof fragment === 'number') ids.push(fragment)
      else for (const id of encodePiece(fragment, afterSpecial)) ids.push(id)
      afterSpecial = typeof fragment === 'number'
    }
    return ids
  }
  const encodePrompt = (text: string): number[] => withBos(vocabulary, encodeWith(text, allSpecial))
  const encodeChat = (messages: readonly unknown[], tools?: readonly unknown[]): number[] => encodePrompt(render(messages, tools))
  return {
    encode: text => encodeWith(text, plainSpecial),
    decode: ids => Buffer.concat(ids.map(id => pieces[id] ?? new Uint8Array())).toString('utf8'),
    encodePrompt,
    encodeChat,
    countChat: (messages, tools) => encodeChat(messages, tools).length,
    vocabularySize: vocabulary.tokens.length,
  }
}

/** The beginning-of-sequence token in front, once, where the model wants it: many templates already write it. */
export function withBos(vocabulary: Pick<GgufVocabulary, 'addBos' | 'bos'>, ids: number[]): number[] {
  return vocabulary.addBos && vocabulary.bos !== null && ids[0] !== vocabulary.bos ? [vocabulary.bos, ...ids] : ids
}
