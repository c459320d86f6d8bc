/** What an HTTP server's refusal says, in the usual forms: `{"error": {"message", "code", "param"}}`, `{"error": "…"}`, `{"detail"}` or plain text. */
export function errorFields(text: string): { message: string; code: string; param: string } {
  try {
    const value: unknown = JSON.parse(text)
    const { error = value } = value as { error?: unknown } // cast: read below as unknown
    if (typeof error === 'string') return { message: error, code: '', param: '' }
    const { message, code, type, detail, param } = error as Record<string, unknown> // cast: an object or null, both caught here
    return { message: String(message ?? detail ?? text), code: String(code ?? type ?? ''), param: String(param ?? '') }
  } catch {
    return { message: text, code: '', param: '' }
  }
}
