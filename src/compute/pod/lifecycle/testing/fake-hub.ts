import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type HubTestFile = { readonly path: string; readonly content: Buffer; readonly isLfs?: boolean }
/** What one request is answered with instead of the truth; each is used once, in order. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  | { readonly kind: 'cut'; readonly afterBytes: number }
  | { readonly kind: 'ignore-range' }
  | { readonly kind: 'wrong-range'; readonly offset: number }
  | { readonly kind: 'claim-length'; readonly bytes: number }
  | { readonly kind: 'redirect'; readonly location: string }

export function sha256Of(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

/** A server that speaks the hub's endpoints over real sockets, and breaks them on demand. */
export async function startFakeHub(repository: string, files: HubTestFile[]) {
  const requests: { url: string; range: string | undefined; authorization: string | undefined }[] = []
  const faults: Fault[] = []
  const server = createServer((request, response) => {
    const { range, authorization } = request.headers
    requests.push({ url: request.url ?? '', range, authorization })
    const url = new URL(request.url ?? '/', 'http://hub')
    if (url.pathname.startsWith(`/api/models/${repository}/tree/`)) listing(response, files)
    else serveFile(request, response, { files, fault: faults.shift(), prefix: `/${repository}/resolve/` })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // cast: a TCP server has a port
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    faults,
    files,
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
export type FakeHub = Awaited<ReturnType<typeof startFakeHub>>

function listing(response: ServerResponse, files: readonly HubTestFile[]): void {
  const entries = files.map(({ path, content, isLfs }) => ({
    type: 'file',
    oid: 'a'.repeat(40),
    path,
    size: content.length,
    ...(isLfs !== false && { lfs: { oid: sha256Of(content), size: content.length, pointerSize: 130 } }),
  }))
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify([{ type: 'directory', path: 'docs', size: 0, oid: 'b'.repeat(40) }, ...entries]))
}

type Serving = { readonly files: readonly HubTestFile[]; readonly fault: Fault | undefined; readonly prefix: string }

function serveFile(request: IncomingMessage, response: ServerResponse, { files, fault, prefix }: Serving): void {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://hub').pathname)
  // As the public hub does: the checksum stands in a redirect, the bytes lie elsewhere.
  const name = path.startsWith('/cdn/') ? path.slice('/cdn/'.length) : path.slice(prefix.length).split('/').slice(1).join('/')
  const file = files.find(candidate => candidate.path === name)
  if (fault?.kind === 'status') {
    response.writeHead(fault.status, fault.headers).end('no')
    return
  }
  if (fault?.kind === 'redirect') {
    response.writeHead(302, { location: fault.location }).end()
    return
  }
  if (!file) {
    response.writeHead(404).end('Entry not found')
    return
  }
  if (path.startsWith(prefix) && file.isLfs !== false && !fault) {
    response
      .writeHead(302, { location: `/cdn/${name}`, 'x-linked-etag': `"${sha256Of(file.content)}"`, 'x-linked-size': file.content.length })
      .end()
    return
  }
  sendBytes(request, response, { content: file.content, fault })
}

function sendBytes(
  request: IncomingMessage,
  response: ServerResponse,
  { content, fault }: { content: Buffer; fault: Fault | undefined },
): void {
  const etag = `"${sha256Of(content).slice(0, 32)}"`
  const asked = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const isSame = request.headers['if-range'] === undefined || request.headers['if-range'] === etag
  const start = fault?.kind === 'ignore-range' || !isSame ? 0 : fault?.kind === 'wrong-range' ? fault.offset : asked
  if (start >= content.length) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end()
    return
  }
  const rest = content.subarray(start)
  const length = fault?.kind === 'claim-length' ? fault.bytes : rest.length
  const range = start > 0 ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {}
  response.writeHead(start > 0 ? 206 : 200, { etag, 'content-length': length, 'accept-ranges': 'bytes', ...range })
  if (fault?.kind !== 'cut') {
    response.end(rest)
    return
  }
  response.write(rest.subarray(0, fault.afterBytes), () => response.socket?.destroySoon())
}
