import { z } from 'zod'
import { modelError } from './errors.ts'
import type { HttpAnswer, HttpClient } from './http.ts'

export type HubOptions = { readonly endpoint: string; readonly http: HttpClient }
/** One file of a repository as the hub describes it. `sha256` is known for large files (LFS) only. */
export type HubFile = { readonly path: string; readonly bytes: number; readonly sha256: string | null }

const listingSchema = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    size: z.number().int().nonnegative(),
    lfs: z.object({ oid: z.string(), size: z.number().int().nonnegative() }).optional(),
  }),
)
/** A listing of a repository with thousands of files is a few hundred KB. */
const MAX_LISTING_BYTES = 8 * 1024 * 1024
/** Tried in this order when the manifest does not say which one is meant. */
const PREFERRED_QUANTIZATIONS = ['Q4_K_M', 'Q8_0', 'F16']

/** Address of a file's bytes: /<repo>/resolve/<revision>/<file>. */
export function resolveUrl(endpoint: string, repository: string, revision: string, file: string): URL {
  const path = file.split('/').map(encodeURIComponent).join('/')
  return new URL(`${repository}/resolve/${encodeURIComponent(revision)}/${path}`, withSlash(endpoint))
}

/** Files of a repository at a revision. @throws HeuristError MODEL_NOT_FOUND, MODEL_NOT_ALLOWED, MODEL_UNREACHABLE */
export async function listFiles(hub: HubOptions, repository: string, revision: string, signal: AbortSignal): Promise<HubFile[]> {
  const url = new URL(`api/models/${repository}/tree/${encodeURIComponent(revision)}?recursive=true`, withSlash(hub.endpoint))
  const answer = await hub.http.get(url, { signal })
  await refuseStatus(answer, `${repository} at revision ${revision}`)
  const parsed = listingSchema.safeParse(parseJson(await readText(answer, signal)))
  if (!parsed.success)
    throw modelError('MODEL_UNREACHABLE', `${url.origin} answered with something that is not a file listing. Is it a model hub?`)
  return parsed.data
    .filter(entry => entry.type === 'file')
    .map(({ path, size, lfs }) => ({ path, bytes: lfs?.size ?? size, sha256: shaOf(lfs?.oid) }))
}

/** The one GGUF file that is meant. @throws HeuristError MODEL_NOT_FOUND with what there is */
export function chooseFile(files: readonly HubFile[], repository: string, quantization: string): HubFile {
  const models = files.filter(file => /\.gguf$/i.test(file.path) && !/mmproj/i.test(file.path))
  const whole = models.filter(file => !/-\d{5}-of-\d{5}\.gguf$/i.test(file.path))
  const wanted = quantization === 'none' ? PREFERRED_QUANTIZATIONS : [quantization]
  for (const name of wanted) {
    const matches = whole.filter(file => file.path.toLowerCase().includes(name.toLowerCase()))
    if (matches.length === 1 && matches[0]) return matches[0]
  }
  if (whole.length === 1 && whole[0] && quantization === 'none') return whole[0]
  throw modelError('MODEL_NOT_FOUND', `${repository}: ${adviceOn(whole, models, quantization)}`)
}

function adviceOn(whole: readonly HubFile[], models: readonly HubFile[], quantization: string): string {
  if (whole.length > 0) {
    const names = whole.slice(0, 20).map(file => file.path)
    const none = quantization === 'none' ? 'several models' : `not exactly one ${quantization} model`
    return `the repository has ${none}. Name one as hf:<owner>/<repo>/<file>: ${names.join(', ')}.`
  }
  if (models.length > 0) return 'its models are split into parts, which this version can not serve. Choose a repository with one file.'
  return 'it has no GGUF file. Choose a repository with one (often the same name with -GGUF).'
}

/** Turns an HTTP status into an error that says what to do; does nothing for 2xx. Drops the body of a refusal. */
export async function refuseStatus(answer: HttpAnswer, what: string): Promise<void> {
  const { status, headers, body } = answer
  if (status >= 200 && status < 300) return
  await body.dump()
  if (status === 404 || status === 410) {
    throw modelError(
      'MODEL_NOT_FOUND',
      `There is no ${what} (HTTP ${status}). Check the spelling; a private repository also looks like this without a token (HF_TOKEN).`,
    )
  }
  if (status === 401 || status === 403) {
    throw modelError(
      'MODEL_NOT_ALLOWED',
      `${what} needs a login or an accepted licence (HTTP ${status}). Accept it on the hub's page and set HF_TOKEN.`,
    )
  }
  const retryAfterMs = retryAfterOf(headers['retry-after'])
  const payload = retryAfterMs === null ? {} : { retryAfterMs }
  throw modelError('MODEL_UNREACHABLE', `The server answered HTTP ${status} for ${what}.`, { payload })
}

/** Seconds of a Retry-After header in ms; a date or nonsense is not known (null). Bounded: a server must not park a node for a day. */
function retryAfterOf(value: string | undefined): number | null {
  const seconds = value === undefined ? Number.NaN : Number(value)
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, 10 * 60_000) : null
}

async function readText(answer: HttpAnswer, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer.body) {
    signal.throwIfAborted()
    const piece = chunk as Buffer // cast: an undici body yields buffers
    bytes += piece.length
    if (bytes > MAX_LISTING_BYTES)
      throw modelError('MODEL_UNREACHABLE', 'The hub sent a file listing of more than 8 MiB. Name the file in the source.')
    chunks.push(piece)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function withSlash(endpoint: string): string {
  return endpoint.endsWith('/') ? endpoint : `${endpoint}/`
}

/** A sha256 from an LFS oid or an ETag (`"…"`, `W/"…"`, `sha256:…`); null when it is something else. */
export function shaOf(text: string | undefined): string | null {
  const bare = text
    ?.replace(/^W\//, '')
    .replaceAll('"', '')
    .replace(/^sha256:/, '')
    .toLowerCase()
  return bare !== undefined && /^[0-9a-f]{64}$/.test(bare) ? bare : null
}
