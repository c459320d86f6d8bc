import { Template } from '@huggingface/jinja'
import { HeuristError, messageOf } from '#protocol'

/** `TOKENIZER_TEMPLATE_FAILED`: the model's chat template refused the messages (role order, a missing role) or is broken. */
export type ChatTemplateErrorCode = 'TOKENIZER_TEMPLATE_FAILED'

export type ChatTemplateOptions = {
  readonly template: string | null
  readonly bosToken: string
  readonly eosToken: string
}

/** Renders messages and tools to the prompt text, generation prompt included. */
export type ChatRenderer = (messages: readonly unknown[], tools?: readonly unknown[]) => string

type Fields = Readonly<Record<string, unknown>>
type Message = { role: string; content: string } & Record<string, unknown>

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {} // cast: any object may be read by key
}

/** OpenAI allows a string, null, or a list of parts; templates want a string. Only text parts carry text. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map(part => (typeof part === 'string' ? part : String(fieldsOf(part).text ?? fieldsOf(part).refusal ?? ''))).join('')
}

/** Templates read the arguments of a past call as an object (Hugging Face's convention), OpenAI sends them as JSON text. */
function callOf(call: unknown): unknown {
  const { function: target } = fieldsOf(call)
  const { arguments: text } = fieldsOf(target)
  if (typeof text !== 'string') return call
  try {
    return { ...fieldsOf(call), function: { ...fieldsOf(target), arguments: JSON.parse(text) } }
  } catch {
    return call
  }
}

function messageForTemplate(message: unknown): Message {
  const fields = fieldsOf(message)
  const role = fields.role === 'developer' ? 'system' : String(fields.role ?? 'user')
  const calls = Array.isArray(fields.tool_calls) && fields.tool_calls.length > 0 ? { tool_calls: fields.tool_calls.map(callOf) } : {}
  const { tool_calls: _, ...rest } = fields
  return { ...rest, ...calls, role, content: textOf(fields.content) }
}

/** For models without a template: the markers most models have seen. */
function renderChatMl(messages: readonly Message[]): string {
  const turns = messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`)
  return `${turns.join('')}<|im_start|>assistant\n`
}

/** A template that does not know tools gets them as text, so that a forced call still sees what it fills in. */
function withToolsAsText(messages: readonly Message[], tools: readonly unknown[]): Message[] {
  const content = `You can call these functions. Answer with the JSON of a call.\n${tools.map(tool => JSON.stringify(fieldsOf(tool).function ?? tool)).join('\n')}`
  const [first, ...rest] = messages
  if (first?.role === 'system') return [{ ...first, content: `${first.content}\n\n${content}` }, ...rest]
  return [{ role: 'system', content }, ...messages]
}

/**
 * Renderer of one model's chat template. Content parts become text, `developer` becomes `system`, null content becomes empty.
 * @throws HeuristError TOKENIZER_TEMPLATE_FAILED at once when the template does not parse, later when it refuses the messages
 */
export function createChatRenderer(options: ChatTemplateOptions): ChatRenderer {
  const template = options.template === null ? null : guarded(() => new Template(options.template ?? ''))
  const knowsTools = options.template !== null && /\btools\b/.test(options.template)
  return (messages, tools) => {
    const normal = messages.map(messageForTemplate)
    const hasTools = tools !== undefined && tools.length > 0
    const given = hasTools && !knowsTools ? withToolsAsText(normal, tools) : normal
    if (!template) return renderChatMl(given)
    return guarded(() =>
      template.render({
        messages: given,
        ...(hasTools && knowsTools && { tools }),
        add_generation_prompt: true,
        bos_token: options.bosToken,
        eos_token: options.eosToken,
      }),
    )
  }
}

function guarded<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw new HeuristError<ChatTemplateErrorCode>(
      'TOKENIZER_TEMPLATE_FAILED',
      `The model's chat template refused these messages: ${messageOf(cause)}. Check the roles and their order.`,
      { cause },
    )
  }
}
