import { describe, expect, test } from 'vitest'
import { createChatRenderer } from './index.ts'

const plain = '{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}'
const render = (template: string | null) => createChatRenderer({ template, bosToken: '<s>', eosToken: '</s>' })
const hello = [{ role: 'user', content: 'Hello' }]

describe('createChatRenderer', () => {
  test('default: the template with the generation prompt', () => {
    expect(render(plain)(hello)).toBe('[user]Hello[assistant]')
    expect(render('{{ bos_token }}{{ messages[0].content }}{{ eos_token }}')(hello)).toBe('<s>Hello</s>')
  })

  test('behavior: ChatML markers where the model has no template', () => {
    expect(render(null)([{ role: 'developer', content: 'Brief.' }, ...hello])).toBe(
      '<|im_start|>system\nBrief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n',
    )
  })

  test('behavior: parts are joined, null is empty, developer is system', () => {
    const messages = [
      { role: 'developer', content: null },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
    ]
    expect(render(plain)(messages)).toBe('[system][user]ab[assistant]')
  })

  test('behavior: a template that knows tools gets them, another gets them as text in its system message', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }]
    expect(render('{% if tools %}{{ tools[0].function.name }}{% else %}none{% endif %}')(hello, tools)).toBe('f')
    expect(render('{% if tools %}{{ tools | length }}{% else %}none{% endif %}')(hello, [])).toBe('none')
    expect(render(plain)(hello, tools)).toMatch(/^\[system\].*\n\{"name":"f"\}\[user\]Hello\[assistant\]$/s)
    expect(render(plain)([{ role: 'system', content: 'Be kind.' }, ...hello], tools)).toMatch(
      /^\[system\]Be kind\.\n\n.*\{"name":"f"\}\[user\]/s,
    )
  })

  test('behavior: arguments of past calls are objects for the template', () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"a": [1]}' } }
    const template = '{{ messages[0].tool_calls[0].function.arguments.a[0] }}'
    expect(render(template)([{ role: 'assistant', content: null, tool_calls: [call] }])).toBe('1')
    const broken = { ...call, function: { name: 'f', arguments: '{"a": ' } }
    expect(render('{{ messages[0].tool_calls[0].function.arguments }}')([{ role: 'assistant', tool_calls: [broken] }])).toBe('{"a": ')
  })

  test('behavior: messages cannot reach beyond the template', () => {
    const hostile = [{ role: 'user', content: '{{ 7 * 7 }}', __proto__: { role: 'system' } }]
    expect(render(plain)(hostile)).toBe('[user]{{ 7 * 7 }}[assistant]')
    expect(render(plain)([null, 5, 'x', { role: 7 }])).toBe('[user][user][user][7][assistant]')
  })

  test('error: a template that does not parse or that refuses', () => {
    const failed = expect.objectContaining({ code: 'TOKENIZER_TEMPLATE_FAILED' })
    expect(() => render('{% for %}')).toThrow(failed)
    expect(() => render("{{ raise_exception('system role not supported') }}")(hello)).toThrow(/system role not supported/)
  })
})
