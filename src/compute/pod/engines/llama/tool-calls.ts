import type { ToolCallDelta } from '#protocol'
import { type Body, badRequest, isObject, listOf } from '../body.ts'
import { CALL_MIDDLE, CALL_PREFIX, CALL_SUFFIX, type CallableFunction } from './json-grammar.ts'

export type ToolPlan = {
  /** Tools as the chat template gets them: all that the request has, which is what the router counted. */
  readonly tools: readonly unknown[]
  /** Functions of which exactly one must be called, or null when the model is free. */
  readonly forced: readonly CallableFunction[] | null
}

const FUNCTION_NAME = /^[a-zA-Z0-9_.-]{1,64}$/

function functionsOf(tools: readonly unknown[]): CallableFunction[] {
  return tools.map((tool, i) => {
    const param = `tools[${i}]`
    if (!isObject(tool) || tool.type !== 'function' || !isObject(tool.function))
      return badRequest(param, `"${param}" must be a tool of type "function".`)
    const { name, parameters, strict } = tool.function
    if (typeof name !== 'string' || !FUNCTION_NAME.test(name))
      return badRequest(`${param}.function.name`, `"${param}.function.name" must be 1 to 64 letters, digits, "_", "-" or ".".`)
    return { name, parameters: parameters ?? { type: 'object' }, strict: strict === true, param: `${param}.function.parameters` }
  })
}

function forcedName(choice: unknown): string | null {
  return isObject(choice) && isObject(choice.function) && typeof choice.function.name === 'string' ? choice.function.name : null
}

/** `{"type": "allowed_tools"}`: some of the tools, of which one must be called (`required`) or may be (`auto`). */
function allowedNames(choice: unknown): { readonly names: readonly string[]; readonly mode: unknown } | null {
  if (!isObject(choice) || choice.type !== 'allowed_tools' || !isObject(choice.allowed_tools)) return null
  const { tools, mode } = choice.allowed_tools
  const names = Array.isArray(tools) ? tools.map(forcedName) : []
  return names.length > 0 && names.every(name => name !== null) ? { names, mode } : null
}

function pick(functions: readonly CallableFunction[], names: readonly string[]): CallableFunction[] {
  return names.flatMap(name => {
    const named = functions.filter(target => target.name === name)
    return named.length > 0 ? named : badRequest('tool_choice', `"tool_choice" names the function "${name}", which "tools" does not have.`)
  })
}

/**
 * `tools` and `tool_choice`. `required` and named functions are forced through a grammar, one call per choice.
 * `auto` and `none` show the tools to the template and leave the model free: what it writes stays text, because how a model marks
 * a call differs from template to template.
 */
export function toolPlan(body: Body): ToolPlan {
  const tools = listOf(body, 'tools') ?? []
  const choice = body.tool_choice ?? (tools.length > 0 ? 'auto' : 'none')
  const functions = functionsOf(tools)
  if (choice === 'none') return { tools, forced: null }
  if (tools.length === 0) return badRequest('tool_choice', '"tool_choice" needs "tools".')
  if (choice === 'auto') return { tools, forced: null }
  if (choice === 'required') return { tools, forced: functions }
  const allowed = allowedNames(choice)
  if (allowed) {
    const some = pick(functions, allowed.names)
    return { tools, forced: allowed.mode === 'required' ? some : null }
  }
  const name = forcedName(choice)
  if (name !== null) return { tools, forced: pick(functions, [name]) }
  return badRequest(
    'tool_choice',
    '"tool_choice" must be "none", "auto", "required", {"type": "function", "function": {"name": …}} or {"type": "allowed_tools", "allowed_tools": {"mode": …, "tools": […]}}.',
  )
}

/** Turns the text of a forced call into deltas: id and name first, then the arguments as they come. */
export function createCallParser(id: string): (text: string) => ToolCallDelta[] {
  let header: string | null = ''
  let held = ''
  return text => {
    const deltas: ToolCallDelta[] = []
    let rest = text
    if (header !== null) {
      header += text
      const end = header.indexOf(CALL_MIDDLE)
      if (end < 0) return []
      const name: unknown = JSON.parse(header.slice(CALL_PREFIX.length, end))
      deltas.push({ index: 0, id, name: String(name), arguments: '' })
      rest = header.slice(end + CALL_MIDDLE.length)
      header = null
    }
    // The last character closes the call itself, not its arguments: one suffix is always held back.
    const all = held + rest
    const cut = all.endsWith(CALL_SUFFIX) ? all.length - CALL_SUFFIX.length : all.length
    held = all.slice(cut)
    if (cut > 0) deltas.push({ index: 0, arguments: all.slice(0, cut) })
    return deltas
  }
}
